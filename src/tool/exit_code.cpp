#include "tool/exit_code.hpp"

#include <initializer_list>

namespace minibatch::tool {
namespace {

bool is_one_of(error_code code, std::initializer_list<errc> values) noexcept {
    for (auto const value : values)
        if (code == value) return true;
    return false;
}

}  // namespace

bool is_temporary(error_code code) noexcept {
    return is_one_of(code, {errc::unavailable, errc::timeout, errc::storage_full});
}

int exit_code_of(error_code code) noexcept {
    if (is_temporary(code) || code == errc::outcome_unknown) return exit_try_again;
    if (is_one_of(code, {errc::invalid_argument, errc::invalid_url, errc::invalid_name, errc::invalid_document,
                         errc::document_too_large, errc::unsupported}))
        return exit_wrong_use;
    return exit_failed;
}

}  // namespace minibatch::tool
