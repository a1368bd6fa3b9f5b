#pragma once

#include <deque>
#include <memory>
#include <minibatch/options.hpp>
#include <mutex>
#include <set>
#include <vector>

#include "api/stream_core.hpp"
#include "log/segment.hpp"

namespace minibatch::detail {

/// The buffer shared by the copies of a producer. Thread-safe.
class producer_core : public std::enable_shared_from_this<producer_core> {
  public:
    producer_core(std::shared_ptr<stream_core> target, producer_options options);
    ~producer_core();

    /// Buffers the document if that neither waits nor fills a batch.
    bool try_append(std::string_view document);
    void append(encoded_document document, completion<> handler);
    void flush(completion<> done);
    std::vector<std::string> take_unwritten();

  private:
    struct waiter {
        std::shared_ptr<shared_operation<>> done;
        std::string document;
    };
    struct flusher {
        std::uint64_t up_to;
        std::shared_ptr<shared_operation<>> done;
    };
    using lock = std::unique_lock<std::mutex>;

    bool must_wait(std::size_t bytes) const;
    void accept(std::string_view document);
    bool fills_batch(std::size_t bytes) const;
    void send();
    void arm_linger();
    void lingered();
    /// A completion to be invoked after the mutex is released.
    struct answer {
        std::shared_ptr<shared_operation<>> op;
        std::optional<error> outcome;
    };
    std::vector<answer> written(std::uint64_t batch, std::size_t bytes, std::optional<error> const& problem,
                                std::string_view unwritten);
    void answer_flushers(std::vector<answer>& answers);
    static std::shared_ptr<shared_operation<>> cancellable(operation<> done);

    std::shared_ptr<stream_core> const stream_;
    producer_options const options_;

    std::mutex mutex_;
    log::segment_text buffer_;
    std::size_t batch_bytes_ = 0;  // of the documents in the buffer
    runtime::steady_time buffered_since_{};
    std::unique_ptr<runtime::timer> linger_;
    std::size_t pending_bytes_ = 0;
    std::uint64_t next_batch_ = 1;
    std::set<std::uint64_t> outstanding_;
    std::deque<waiter> waiters_;
    std::deque<flusher> flushers_;
    std::optional<error> failure_;  // the first since the last flush
    std::vector<std::string> failed_;
    std::vector<std::string> unwritten_;
};

}  // namespace minibatch::detail
