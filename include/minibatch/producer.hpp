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

/// Appends in batches. A document is durable only when a later `flush` has succeeded. A cheap handle: copies share one
/// buffer. Destroying the last copy hands the buffered documents to the database; a failure is then only logged.
///
/// Thread safety: all members may be called from any thread at the same time.
class producer {
  public:
    producer() = default;
    explicit producer(std::shared_ptr<detail::producer_core> core);

    /// Buffers one document. Completes with `void(error_code)` at once, or when a full buffer has room again.
    ///
    /// Cancellation: all types, with `asio::error::operation_aborted`. The document is not buffered.
    /// Errors: `invalid_document`, `document_too_large`. When a batch could not be written, each call fails with its
    /// error until `flush` has reported it. So the order of documents is kept.
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

    /// Waits until all documents that were buffered before are durable. Completes with `void(error_code)`. The error is
    /// the first one since the last flush. Its diagnostics contain the number of documents that were not written, and
    /// `take_unwritten` returns them.
    ///
    /// Cancellation: all types, with `asio::error::operation_aborted`. The documents are still written.
    template <class Token = boost::asio::use_awaitable_t<>>
    [[nodiscard]] auto flush(Token token = {}) {
        return detail::initiate<>(token,
                                  [core = core_](detail::completion<> done) { start_flush(core, std::move(done)); });
    }

    /// Returns the encoded documents that the last failed `flush` reported as not written, in order, and clears the
    /// list.
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
    /// A coroutine does not suspend for a document that only goes into the buffer. It does when a batch is full, so
    /// that others get their turn.
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
