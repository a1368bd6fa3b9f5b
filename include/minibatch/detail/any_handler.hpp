#pragma once

#include <boost/asio/any_completion_handler.hpp>
#include <utility>

namespace minibatch::detail {

/// asio::any_completion_handler with a working move assignment: that of Boost 1.81 recurses without end.
template <class Signature>
class any_handler : public boost::asio::any_completion_handler<Signature> {
    using base = boost::asio::any_completion_handler<Signature>;

  public:
    using base::base;
    any_handler() = default;
    any_handler(any_handler&& other) noexcept : base(static_cast<base&&>(other)) {}
    any_handler& operator=(any_handler&& other) noexcept {
        base taken(static_cast<base&&>(other));
        this->swap(taken);
        return *this;
    }
};

}  // namespace minibatch::detail
