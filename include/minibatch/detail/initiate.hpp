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

/// How the library's compiled part reports an outcome: no error, or one with its diagnostics. Called once.
template <class... Results>
using callback = any_handler<void(std::optional<error>, Results...)>;

/// What completes an operation, and where. The executor is taken before the handler's type is erased, since the erased
/// one could no longer promise not to run things at once.
template <class... Results>
struct completion {
    callback<Results...> handler;
    asio::any_io_executor executor;
};

template <class Token>
inline constexpr bool is_use_awaitable = false;
template <class Executor>
inline constexpr bool is_use_awaitable<asio::use_awaitable_t<Executor>> = true;

/// What an operation without a result returns for a `use_awaitable` token.
template <class Token>
struct awaitable_of;
template <class Executor>
struct awaitable_of<asio::use_awaitable_t<Executor>> {
    using type = asio::awaitable<void, Executor>;
};

/// With plain `use_awaitable` a failure is thrown as `minibatch::error`, diagnostics included; every other token gets
/// the bare error code.
template <class Token>
using failure_of = std::conditional_t<is_use_awaitable<std::decay_t<Token>>, std::exception_ptr, error_code>;

inline void convert(std::optional<error>& from, std::exception_ptr& to) {
    if (from) to = std::make_exception_ptr(std::move(*from));
}
inline void convert(std::optional<error>& from, error_code& to) {
    if (from) to = from->code();
}

/// Wraps the caller's handler, whose executor, allocator and cancellation slot stay visible through it.
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

/// Begins an asynchronous operation with any completion token. `start` is called with a `completion<Results...>`.
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
