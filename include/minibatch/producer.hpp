#pragma once

#include <memory>
#include <minibatch/detail/documents.hpp>
#include <minibatch/detail/initiate.hpp>
#include <minibatch/options.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace minibatch {

namespace detail {
class producer_core;
}

/// Appends in batches: fast, at the price that a document is durable only once `flush` says so. A cheap handle: copies
/// share one buffer. When the last copy is destroyed, what is buffered is still handed to the database, and a failure
/// is only logged.
///
/// Thread safety: all members may be called from any thread at the same time.
class producer {
  public:
    producer() = default;
    explicit producer(std::shared_ptr<detail::producer_core> core);

    /// Buffers one document; completes with `void(error_code)` at once, or, when the buffer is full, once there is
    /// room.
    ///
    /// Cancellation: the document is not taken. Errors: `invalid_document`, `document_too_large`; and after a batch
    /// could not be written, its error at each call until `flush` has reported it (so that order is kept).
    template <class Token = boost::asio::use_awaitable_t<>>
    [[nodiscard]] auto append(boost::json::value const& document, Token token = {}) {
        return begin_append(detail::encode_any(document), token);
    }
    template <detail::single_document T, class Token = boost::asio::use_awaitable_t<>>
    [[nodiscard]] auto append(T const& value, Token token = {}) {
        return begin_append(detail::encode_any(value), token);
    }
    template <class Token = boost::asio::use_awaitable_t<>>
    [[nodiscard]] auto append_json(std::string_view text, Token token = {}) {
        return begin_append(encode_document_text(text), token);
    }

    /// Waits until all that was buffered before is durable. Completes with `void(error_code)`. A failure is the first
    /// one since the last flush; its text says how many documents were not written, and `take_unwritten` returns them.
    ///
    /// Cancellation: ends the waiting alone; the writing goes on.
    template <class Token = boost::asio::use_awaitable_t<>>
    [[nodiscard]] auto flush(Token token = {}) {
        return detail::initiate<>(token,
                                  [core = core_](detail::completion<> done) { start_flush(core, std::move(done)); });
    }

    /// The encoded documents that the last failed `flush` reported as not written, in order; the list is empty
    /// afterwards.
    [[nodiscard]] std::vector<std::string> take_unwritten();

  private:
    using shared_core = std::shared_ptr<detail::producer_core>;

    template <class Token>
    auto begin_append(encoded_document document, Token& token) {
        if constexpr (detail::is_use_awaitable<Token>)
            return awaited_append<Token>(core_, std::move(document));
        else
            return initiate_append(core_, std::move(document), token);
    }
    template <class Token>
    static auto initiate_append(shared_core const& owner, encoded_document document, Token& token) {
        return detail::initiate<>(token, [owner, document = std::move(document)](detail::completion<> done) mutable {
            start_append(owner, std::move(document), std::move(done));
        });
    }
    /// Most documents only go into the buffer, and a coroutine needs no turn of its executor for that. It takes one
    /// whenever a batch is full.
    template <class Token>
    static typename detail::awaitable_of<Token>::type awaited_append(shared_core owner, encoded_document document) {
        if (try_append(*owner, document)) co_return;
        Token token;
        co_await initiate_append(owner, std::move(document), token);
    }
    static bool try_append(detail::producer_core& owner, encoded_document const& document);
    static void start_append(std::shared_ptr<detail::producer_core> const& core, encoded_document document,
                             detail::completion<> done);
    static void start_flush(std::shared_ptr<detail::producer_core> const& core, detail::completion<> done);

    std::shared_ptr<detail::producer_core> core_;
};

}  // namespace minibatch
