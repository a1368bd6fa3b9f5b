#include "store/names.hpp"

#include <minibatch/error.hpp>
#include <random>
#include <string>

namespace minibatch::store {
namespace {

bool is_word(char c) noexcept {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

}  // namespace

void check_name(std::string_view kind, std::string_view name) {
    bool good = !name.empty() && name.size() <= 120 && is_word(name.front());
    for (char const c : name) good = good && (is_word(c) || c == '.' || c == '-');
    if (good) return;
    throw error(errc::invalid_name, "the " + std::string(kind) + " name '" + std::string(name.substr(0, 130)) +
                                        "' is not allowed: 1 to 120 letters, digits, '_', '.' or '-', and neither '.' "
                                        "nor '-' first");
}

std::int64_t new_incarnation() {
    std::random_device source;
    std::uniform_int_distribution<std::int64_t> any(1, std::int64_t{1} << 62);
    return any(source);
}

}  // namespace minibatch::store
