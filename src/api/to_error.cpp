#include "api/to_error.hpp"

namespace minibatch::detail {

std::optional<error> to_error(std::exception_ptr const& problem) {
    if (!problem) return std::nullopt;
    try {
        std::rethrow_exception(problem);
    } catch (error const& known) {
        return known;
    } catch (boost::system::system_error const& other) {
        return error(other.code());
    } catch (std::exception const& other) {
        return error(errc::store_failure, other.what());
    } catch (...) {
        return error(errc::store_failure, "an exception that is not a std::exception");
    }
}

}  // namespace minibatch::detail
