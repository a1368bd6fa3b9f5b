#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <minibatch/consumer.hpp>
#include <minibatch/detail/documents.hpp>
#include <minibatch/detail/initiate.hpp>
#include <minibatch/message.hpp>
#include <minibatch/options.hpp>
#include <minibatch/producer.hpp>
#include <minibatch/strategy.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace minibatch {

class database;

/// The place of a message in a stream.
struct position {
    int partition = 0;
    std::int64_t offset = 0;
    operator std::int64_t() const noexcept { return offset; }
};

/// A consumer group as reported by `stream::info`, summed over the partitions.
struct group_info {
    std::string name;
    bool keep = false;
    /// Messages that the group has not committed.
    std::int64_t lag = 0;
    /// Messages that retention limits removed before the group committed them.
    std::int64_t lost = 0;
    /// The holder of the lease of the first partition that has one: host, process and a random part, unique to a
    /// database handle. Empty if none has, judged by the database's clock.
    std::string owner;
    /// Whether `owner` is a consumer on this database handle.
    bool owned_here = false;
};

struct stream_info {
    std::string name;
    int partitions = 1;
    std::int64_t messages = 0;
    std::int64_t bytes = 0;
    /// Messages ever appended, including removed ones.
    std::int64_t appended = 0;
    /// How far `created` of the newest message is ahead of the database's clock, if that was set back; zero for less
    /// than a second. During this time new messages get the same `created`, and fixed time windows are not closed.
    std::chrono::milliseconds ahead{0};
    std::vector<group_info> groups;
};

namespace detail {
class stream_core;
}

/// A handle to a durable, ordered log of JSON documents. Cheap to copy.
///
/// Thread safety: all members may be called from any thread at the same time. Documents are encoded during the call;
/// arguments need not outlive it.
class stream {
  public:
    stream() = default;
    explicit stream(std::shared_ptr<detail::stream_core> core);

    /// Opens the stream, and creates it if it does not exist. Completes with `void(error_code, stream)`.
    ///
    /// Cancellation: terminal. The code is `asio::error::operation_aborted` if nothing was created, and
    /// `errc::outcome_unknown` once the database executes the call.
    /// Errors: `invalid_name`, `partition_mismatch`, `invalid_argument`, and those of the database.
    template <class Token = boost::asio::use_awaitable_t<>>
    [[nodiscard]] static auto get_or_create(database const& db, std::string name, stream_options options = {},
                                            Token token = {}) {
        return detail::initiate<stream>(
            token, [owner = core_of(db), name = std::move(name), options](detail::completion<stream> done) mutable {
                start_open(owner, std::move(name), options, std::move(done));
            });
    }

    std::string const& name() const;
    int partitions() const;

    /// Appends one document. Completes with `void(error_code, position)` when the document is durable. Documents that
    /// wait at the same time are written together.
    ///
    /// Cancellation: all types while the document waits to be written; the code is `asio::error::operation_aborted` and
    /// nothing is stored. Once the document has been handed to the database, terminal cancellation ends the operation
    /// with `errc::outcome_unknown`, and the other types have no effect.
    /// Errors: `invalid_document`, `document_too_large`; `timeout` and `unavailable` (the database was busy or away
    /// until the time-out); `stream_deleted`, `storage_full`, `read_only`, `access_denied`, `forked`, and those of the
    /// database. After all of these nothing is stored. After `outcome_unknown`, which occurs also without a
    /// cancellation, the document may be stored: an answer was lost, or a write failed, and its effect could not be
    /// determined.
    template <class Token = boost::asio::use_awaitable_t<>>
    [[nodiscard]] auto append(boost::json::value const& document, Token token = {}) {
        return begin_append(detail::encode_any(document), {}, token);
    }
    template <class Token = boost::asio::use_awaitable_t<>>
    [[nodiscard]] auto append(boost::json::value const& document, append_options const& options, Token token = {}) {
        return begin_append(detail::encode_any(document), options, token);
    }
    /// Appends a value of a type that `boost::json::value_from` converts to an object.
    template <detail::single_document T, class Token = boost::asio::use_awaitable_t<>>
    [[nodiscard]] auto append(T const& value, Token token = {}) {
        return begin_append(detail::encode_any(value), {}, token);
    }
    template <detail::single_document T, class Token = boost::asio::use_awaitable_t<>>
    [[nodiscard]] auto append(T const& value, append_options const& options, Token token = {}) {
        return begin_append(detail::encode_any(value), options, token);
    }
    /// Appends a range of documents or typed values as one atomic batch: all or none, contiguous, in one partition.
    /// Completes with the position of the first. An empty range is `invalid_argument`.
    template <detail::document_range Range, class Token = boost::asio::use_awaitable_t<>>
    [[nodiscard]] auto append(Range&& documents, Token token = {}) {
        return begin_append(detail::encode_all(documents), {}, token);
    }
    template <detail::document_range Range, class Token = boost::asio::use_awaitable_t<>>
    [[nodiscard]] auto append(Range&& documents, append_options const& options, Token token = {}) {
        return begin_append(detail::encode_all(documents), options, token);
    }
    /// Appends one document given as JSON text. The text is checked and stored as it is.
    template <class Token = boost::asio::use_awaitable_t<>>
    [[nodiscard]] auto append_json(std::string_view text, Token token = {}) {
        return begin_append(encode_document_text(text), {}, token);
    }
    template <class Token = boost::asio::use_awaitable_t<>>
    [[nodiscard]] auto append_json(std::string_view text, append_options const& options, Token token = {}) {
        return begin_append(encode_document_text(text), options, token);
    }

    /// Appends a range of JSON texts, of a type that converts to `std::string_view`, as one atomic batch: all or none,
    /// contiguous, in one partition. Completes with the position of the first. If a text is not a valid document,
    /// nothing is written and the diagnostics name its index. An empty range is `invalid_argument`.
    template <detail::text_range Range, class Token = boost::asio::use_awaitable_t<>>
    [[nodiscard]] auto append_json(Range&& texts, Token token = {}) {
        return begin_append(detail::encode_texts(texts), {}, token);
    }
    template <detail::text_range Range, class Token = boost::asio::use_awaitable_t<>>
    [[nodiscard]] auto append_json(Range&& texts, append_options const& options, Token token = {}) {
        return begin_append(detail::encode_texts(texts), options, token);
    }

    /// Appends encoded documents as one atomic batch.
    template <class Token = boost::asio::use_awaitable_t<>>
    [[nodiscard]] auto append_encoded(std::vector<encoded_document> documents, append_options const& options = {},
                                      Token token = {}) {
        return begin_append(std::move(documents), options, token);
    }

    /// Makes a producer, which writes in batches. Throws `error` with `invalid_argument` if an option is out of range.
    [[nodiscard]] producer make_producer(producer_options options = {}) const;

    /// Joins a consumer group with a windowing strategy. Completes with `void(error_code, consumer)`.
    ///
    /// Cancellation: as `get_or_create`. A group that was registered remains.
    /// Errors: `invalid_argument`, `invalid_name`, `stream_deleted`, and those of the database.
    template <class Token = boost::asio::use_awaitable_t<>>
    [[nodiscard]] auto consume(strategy how, consumer_options options = {}, Token token = {}) {
        return detail::initiate<consumer>(
            token, [core = core_, how = std::move(how), options](detail::completion<consumer> done) mutable {
                start_consume(core, std::move(how), options, std::move(done));
            });
    }

    /// Reads up to `limit` messages of one partition, from the offset `from` or from the first message that is still
    /// stored. A negative `from` counts from the end: -10 means the last 10 messages, and what precedes them is not
    /// read. No group is involved. Completes with `void(error_code, std::vector<message>)`. The result has fewer
    /// messages if the end, or 16 MiB, was reached.
    ///
    /// Cancellation: all types, with `asio::error::operation_aborted`.
    template <class Token = boost::asio::use_awaitable_t<>>
    [[nodiscard]] auto peek(int partition, std::int64_t from, std::size_t limit, Token token = {}) {
        return detail::initiate<std::vector<message>>(
            token, [core = core_, partition, from, limit](detail::completion<std::vector<message>> done) {
                start_peek(core, partition, from, limit, std::move(done));
            });
    }

    /// Returns sizes, groups and their lag. Completes with `void(error_code, stream_info)`.
    ///
    /// Cancellation: all types, with `asio::error::operation_aborted`.
    template <class Token = boost::asio::use_awaitable_t<>>
    [[nodiscard]] auto info(Token token = {}) {
        return detail::initiate<stream_info>(
            token, [core = core_](detail::completion<stream_info> done) { start_info(core, std::move(done)); });
    }

    /// Removes all messages. The next message gets the next offset; groups continue at the end. Completes with
    /// `void(error_code)`.
    ///
    /// Cancellation: terminal. The code is `asio::error::operation_aborted` if nothing was removed, and
    /// `errc::outcome_unknown` once the database executes the call.
    template <class Token = boost::asio::use_awaitable_t<>>
    [[nodiscard]] auto clear(Token token = {}) {
        return detail::initiate<>(token,
                                  [core = core_](detail::completion<> done) { start_clear(core, std::move(done)); });
    }

  private:
    using owner = std::shared_ptr<void>;
    static owner core_of(database const& db);
    static void start_open(owner const& db, std::string name, stream_options options, detail::completion<stream> done);
    static void start_append(std::shared_ptr<detail::stream_core> const& core, std::vector<encoded_document> documents,
                             int partition, detail::completion<position> done);
    static void start_append(std::shared_ptr<detail::stream_core> const& core, encoded_document document, int partition,
                             detail::completion<position> done);
    static void start_consume(std::shared_ptr<detail::stream_core> const& core, strategy how, consumer_options options,
                              detail::completion<consumer> done);
    static void start_peek(std::shared_ptr<detail::stream_core> const& core, int partition, std::int64_t from,
                           std::size_t limit, detail::completion<std::vector<message>> done);
    static void start_info(std::shared_ptr<detail::stream_core> const& core, detail::completion<stream_info> done);
    static void start_clear(std::shared_ptr<detail::stream_core> const& core, detail::completion<> done);

    template <class Documents, class Token>
    auto begin_append(Documents documents, append_options const& options, Token& token) {
        return detail::initiate<position>(
            token, [core = core_, partition = choose(core_, options.key),
                    documents = std::move(documents)](detail::completion<position> done) mutable {
                start_append(core, std::move(documents), partition, std::move(done));
            });
    }
    static int choose(std::shared_ptr<detail::stream_core> const& core, std::string_view key);

    std::shared_ptr<detail::stream_core> core_;
};

}  // namespace minibatch
