#include "bson/iso_date.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>

namespace minibatch::bson {
namespace {

using namespace std::chrono;  // NOLINT(google-build-using-namespace): calendar and clock types

constexpr std::string_view numerals = "0123456789";

/// Takes a number of `n` numerals off the front of a text.
std::optional<int> take(std::string_view& text, std::size_t n) {
    if (text.size() < n || text.substr(0, n).find_first_not_of(numerals) != std::string_view::npos) return std::nullopt;
    int value = 0;
    std::from_chars(text.data(), text.data() + n, value);
    text.remove_prefix(n);
    return value;
}

bool skip(std::string_view& text, char c) {
    if (!text.starts_with(c)) return false;
    text.remove_prefix(1);
    return true;
}

void append_part(char const* before, int value, std::size_t width, std::string& out) {
    auto const text = std::to_string(value);
    out += before;
    out.append(width - std::min(width, text.size()), '0');
    out += text;
}

}  // namespace

std::optional<std::int64_t> parse_iso_date(std::string_view text) {
    auto const number = [&](std::size_t n, char before) {
        return before == 0 || skip(text, before) ? take(text, n) : std::nullopt;
    };
    auto const y = number(4, 0);
    auto const m = y ? number(2, '-') : y;
    auto const d = m ? number(2, '-') : m;
    auto const h = d ? number(2, 'T') : d;
    auto const min = h ? number(2, ':') : h;
    auto const s = min ? number(2, ':') : min;
    if (!s || *h > 23 || *min > 59 || *s > 59) return std::nullopt;
    year_month_day const date(year(*y), month(static_cast<unsigned>(*m)), day(static_cast<unsigned>(*d)));
    if (!date.ok()) return std::nullopt;
    milliseconds time = hours(*h) + minutes(*min) + seconds(*s);
    if (skip(text, '.')) {
        auto const n = std::min(text.find_first_not_of(numerals), text.size());
        if (n < 1 || n > 3) return std::nullopt;
        auto const fraction = take(text, n);
        time += milliseconds(*fraction * (n == 1 ? 100 : n == 2 ? 10 : 1));
    }
    if (text != "Z") {
        bool const east = text.starts_with('+');
        if (!east && !text.starts_with('-')) return std::nullopt;
        text.remove_prefix(1);
        auto const zone_hours = take(text, 2);
        if (!zone_hours) return std::nullopt;
        skip(text, ':');
        auto const zone_minutes = take(text, 2);
        if (!zone_minutes || !text.empty() || *zone_hours > 23 || *zone_minutes > 59) return std::nullopt;
        minutes const offset = hours(*zone_hours) + minutes(*zone_minutes);
        time -= east ? offset : -offset;
    }
    return milliseconds(sys_days(date).time_since_epoch() + time).count();
}

void append_iso_date(std::int64_t time, std::string& out) {
    sys_time<milliseconds> const at{milliseconds(time)};
    auto const midnight = floor<days>(at);
    year_month_day const date(midnight);
    hh_mm_ss const clock(at - midnight);
    append_part("", static_cast<int>(date.year()), 4, out);
    append_part("-", static_cast<int>(static_cast<unsigned>(date.month())), 2, out);
    append_part("-", static_cast<int>(static_cast<unsigned>(date.day())), 2, out);
    append_part("T", static_cast<int>(clock.hours().count()), 2, out);
    append_part(":", static_cast<int>(clock.minutes().count()), 2, out);
    append_part(":", static_cast<int>(clock.seconds().count()), 2, out);
    auto const fraction = static_cast<int>(clock.subseconds().count());
    if (fraction != 0) append_part(".", fraction, 3, out);
    out += 'Z';
}

}  // namespace minibatch::bson
