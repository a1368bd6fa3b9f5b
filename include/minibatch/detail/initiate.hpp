#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/associator.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/system_executor.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>
#include <minibatch/detail/any_handler.hpp>
#include <minibatch/error.hpp>
#include <optional>
#include <type_traits>
#include <utility>

namespace minibatch::detail {

namespace asio = boost::asio;

/// The type-erased completion handler of the compiled part: an error with diagnostics, or none, and the results. Called
/// once.
template <class... Results>
using callback = any_handler<void(std::optional<error>, Results...)>;

/// A completion handler and its executor. The executor is obtained before the handler is erased: the erased one does
/// not support the property `blocking.never`.
template <class... Results>
struct completion {
    callback<Results...> handler;
    asio::any_io_executor executor;
};

template <class Token>
inline constexpr bool is_use_awaitable = false;
template <class Executor>
inline constexpr bool is_use_awaitable<asio::use_awaitable_t<Executor>> = true;

/// The return type of an operation without a result for a `use_awaitable` token.
template <class Token>
struct awaitable_of;
template <class Executor>
struct awaitable_of<asio::use_awaitable_t<Executor>> {
    using type = asio::awaitable<void, Executor>;
};

/// The first argument of the completion signature. With `use_awaitable` an operation throws `minibatch::error` with
/// diagnostics. Every other token receives the error code.
template <class Token>
using failure_of = std::conditional_t<is_use_awaitable<std::decay_t<Token>>, std::exception_ptr, error_code>;

inline void convert(std::optional<error>& from, std::exception_ptr& to) {
    if (from) to = std::make_exception_ptr(std::move(*from));
}
inline void convert(std::optional<error>& from, error_code& to) {
    if (from) to = from->code();
}

/// Adapts the caller's handler to the erased signature. Forwards its executor, allocator and cancellation slot.
template <class Handler, class Failure>
struct adapted_handler {
    Handler handler;

    template <class... Results>
    void operator()(std::optional<error> problem, Results... results) {
        Failure failure{};
        convert(problem, failure);
        std::move(handler)(std::move(failure), std::move(results)...);
    }
};

template <class Failure, class... Results, class Token, class Start>
auto initiate_as(Token& token, Start&& start) {
    return asio::async_initiate<Token, void(Failure, Results...)>(
        [](auto handler, auto begin) {
            using handler_type = decltype(handler);
            auto executor = asio::get_associated_executor(handler, asio::system_executor());
            begin(completion<Results...>{adapted_handler<handler_type, Failure>{std::move(handler)},
                                         std::move(executor)});
        },
        token, std::forward<Start>(start));
}

/// Initiates an asynchronous operation with any completion token. Calls `start` with a `completion<Results...>`.
template <class... Results, class Token, class Start>
auto initiate(Token&& token, Start&& start) {
    return initiate_as<failure_of<Token>, Results...>(token, std::forward<Start>(start));
}

}  // namespace minibatch::detail

template <template <class, class> class Associator, class Handler, class Failure, class Default>
struct boost::asio::associator<Associator, minibatch::detail::adapted_handler<Handler, Failure>, Default>
    : Associator<Handler, Default> {
    static auto get(minibatch::detail::adapted_handler<Handler, Failure> const& from) noexcept {
        return Associator<Handler, Default>::get(from.handler);
    }
    static auto get(minibatch::detail::adapted_handler<Handler, Failure> const& from,
                    Default const& fallback) noexcept {
        return Associator<Handler, Default>::get(from.handler, fallback);
    }
};
