#include "runtime/clock_reader.hpp"

#include <chrono>
#include <ctime>

namespace minibatch::runtime {
namespace {

constexpr milliseconds tolerated{1'000};
constexpr milliseconds silence{60'000};
constexpr milliseconds lasting_jump{600'000};

std::string seconds_text(milliseconds span) {
    auto const tenths = span.count() / 100;
    return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " s";
}

}  // namespace

std::optional<milliseconds> clock_watch::look(time_ms clock, steady_time now) {
    auto const value = milliseconds(clock) - since_origin(now);
    if (!reported_) {
        reported_ = settled_ = value;
        return std::nullopt;
    }
    bool const is_ahead = value > settled_ + tolerated;
    if (is_ahead && (!ahead_ || value > ahead_->value + tolerated || value < ahead_->value - tolerated))
        ahead_ = offset{value, now};
    if (!is_ahead || now - ahead_->since >= lasting_jump) {
        settled_ = value;
        ahead_.reset();
    }
    auto const moved = value - *reported_;
    if (moved <= tolerated && moved >= -tolerated) return std::nullopt;
    if (now < silent_until_) return std::nullopt;
    silent_until_ = now + silence;
    reported_ = value;
    return moved;
}

time_ms clock_watch::settled(steady_time now) const noexcept { return (since_origin(now) + settled_).count(); }

windowing::moment clock_reader::now(time_ms last_created) {
    auto const steady = env_.time->now();
    auto const clock = env_.database->now();
    if (auto const moved = watch_.look(clock, steady)) {
        env_.say(log_level::warning, "the database's clock has gone " +
                                         std::string(moved->count() > 0 ? "ahead of" : "back against") +
                                         " the time elapsed by " + seconds_text(std::chrono::abs(*moved)) +
                                         ": it was set, or this machine slept");
    }
    auto const elapsed = std::chrono::duration_cast<milliseconds>(steady.time_since_epoch()).count();
    return windowing::moment::of(clock, last_created, elapsed);
}

time_ms clock_reader::time_for_retention() {
    now(0);
    return std::min(env_.database->now(), watch_.settled(env_.time->now()));
}

std::string utc_text(time_ms time) {
    auto const seconds = static_cast<std::time_t>(time / 1'000);
    std::tm parts{};
    if (gmtime_r(&seconds, &parts) == nullptr) return std::to_string(time) + " ms";
    char text[40] = {};
    std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
    return text;
}

}  // namespace minibatch::runtime
