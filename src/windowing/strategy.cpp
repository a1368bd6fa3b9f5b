#include <minibatch/error.hpp>
#include <minibatch/strategy.hpp>
#include <string>

#include "windowing/time_grid.hpp"

namespace minibatch {
namespace {

using std::chrono::milliseconds;

// Times are int64 milliseconds; this leaves room for adding any two of them.
constexpr std::int64_t longest = 100'000'000'000'000;  // some 3,000 years

[[noreturn]] void refuse(std::string what) { throw error(errc::invalid_argument, std::move(what)); }

void require_positive(std::int64_t value, char const* what) {
    if (value <= 0) refuse(std::string(what) + " must be positive, not " + std::to_string(value));
}

void require_duration(milliseconds value, char const* what) {
    if (value.count() <= 0) refuse(std::string(what) + " must be at least 1 ms");
    if (value.count() > longest) refuse(std::string(what) + " is too long");
}

template <typename T>
void merge(std::optional<T>& into, std::optional<T> const& from, char const* name) {
    if (!from) return;
    if (into) refuse(std::string("a strategy can have only one ") + name);
    into = from;
}

}  // namespace

strategy count_window(std::int64_t size) {
    require_positive(size, "the size of a count window");
    detail::strategy_parts parts;
    parts.count = size;
    return strategy(std::move(parts));
}

strategy fixed_time_window(milliseconds interval, fixed_time_options options) {
    require_duration(interval, "the interval of a fixed time window");
    if (options.max_empty < 0) refuse("max_empty must not be negative");
    if (options.offset.count() > longest || options.offset.count() < -longest) {
        refuse("the offset of a fixed time window is too large");
    }
    // Refuses time zones that are not known.
    static_cast<void>(windowing::time_grid(interval, options.offset, options.time_zone));
    detail::strategy_parts parts;
    parts.fixed.emplace(detail::strategy_parts::fixed_part{interval, options});
    return strategy(std::move(parts));
}

strategy relaxed_time_window(milliseconds interval, relaxed_time_options options) {
    require_duration(interval, "the interval of a relaxed time window");
    detail::strategy_parts parts;
    parts.relaxed.emplace(detail::strategy_parts::relaxed_part{interval, options});
    return strategy(std::move(parts));
}

strategy max_age(milliseconds age) {
    require_duration(age, "max_age");
    detail::strategy_parts parts;
    parts.max_age = age;
    return strategy(std::move(parts));
}

strategy max_bytes(std::int64_t bytes) {
    require_positive(bytes, "max_bytes");
    detail::strategy_parts parts;
    parts.max_bytes = bytes;
    return strategy(std::move(parts));
}

strategy custom_window(std::shared_ptr<window_emitter> emitter) { return strategy(std::move(emitter)); }

strategy custom_window(std::function<std::unique_ptr<window_emitter>()> factory) {
    if (!factory) refuse("a custom window needs a factory of emitters, not an empty function");
    detail::strategy_parts parts;
    parts.custom = [factory = std::move(factory)] { return std::shared_ptr<window_emitter>(factory()); };
    return strategy(std::move(parts));
}

detail::strategy_parts strategy::shared(std::shared_ptr<window_emitter> emitter) {
    if (!emitter) refuse("a custom window needs an emitter, not a null pointer");
    detail::strategy_parts parts;
    parts.custom = [emitter = std::move(emitter)] { return emitter; };
    return parts;
}

strategy operator||(strategy const& left, strategy const& right) {
    auto const& a = left.parts();
    auto const& b = right.parts();
    if (a.custom || b.custom) {
        refuse("a custom window cannot be combined with other strategies: the emitter decides alone");
    }
    if (a.fixed || b.fixed) {
        refuse("a fixed time window cannot be combined with other strategies: its bounds are fixed by its interval");
    }
    auto parts = a;
    merge(parts.relaxed, b.relaxed, "relaxed_time_window");
    merge(parts.count, b.count, "count_window");
    merge(parts.max_age, b.max_age, "max_age");
    merge(parts.max_bytes, b.max_bytes, "max_bytes");
    return strategy(std::move(parts));
}

}  // namespace minibatch
