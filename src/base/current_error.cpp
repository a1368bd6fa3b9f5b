#include "base/current_error.hpp"

#include <cerrno>
#include <new>
#include <system_error>

namespace minibatch::base {
namespace {

/// What the process or the machine has too little of; null for other numbers.
char const* exhausted(int number) noexcept {
    switch (number) {
        case EMFILE:
            return "the process has no file descriptors left";
        case ENFILE:
            return "the system has no file descriptors left";
        case EAGAIN:
            return "no more threads or other resources are available";
        case ENOMEM:
            return "out of memory";
        case ENOSPC:
            return "a limit of the system is reached";
        default:
            return nullptr;
    }
}

error describe(char const* doing, char const* text, errc value) {
    return error(value, doing ? std::string(doing) + ": " + text : std::string(text));
}

error describe_system(char const* doing, int number, bool of_system, char const* text) {
    auto const* const reason = of_system ? exhausted(number) : nullptr;
    if (!reason) return describe(doing, text, errc::store_failure);
    auto const both = std::string(reason) + " (" + text + ")";
    return describe(doing, both.c_str(), errc::unavailable);
}

}  // namespace

error current_error(char const* doing) {
    try {
        throw;
    } catch (error const& known) {
        return known;
    } catch (std::bad_alloc const&) {
        return describe(doing, "out of memory", errc::unavailable);
    } catch (std::system_error const& failure) {
        auto const& category = failure.code().category();
        bool const of_system = category == std::system_category() || category == std::generic_category();
        return describe_system(doing, failure.code().value(), of_system, failure.what());
    } catch (boost::system::system_error const& failure) {
        auto const& category = failure.code().category();
        bool const of_system =
            category == boost::system::system_category() || category == boost::system::generic_category();
        return describe_system(doing, failure.code().value(), of_system, failure.what());
    } catch (std::exception const& other) {
        return describe(doing, other.what(), errc::store_failure);
    } catch (...) {
        return describe(doing, "an unknown exception", errc::store_failure);
    }
}

}  // namespace minibatch::base
