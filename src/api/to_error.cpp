#include "api/to_error.hpp"

#include "base/current_error.hpp"

namespace minibatch::detail {

std::optional<error> to_error(std::exception_ptr const& problem) {
    if (!problem) return std::nullopt;
    try {
        std::rethrow_exception(problem);
    } catch (error const& known) {
        return known;
    } catch (boost::system::system_error const& other) {
        return error(other.code());
    } catch (...) {
        return base::current_error();
    }
}

}  // namespace minibatch::detail
