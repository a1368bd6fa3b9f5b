#include "store/progress.hpp"

#include <array>
#include <boost/json.hpp>
#include <limits>
#include <minibatch/document.hpp>
#include <minibatch/error.hpp>

#include "store/rules.hpp"

namespace minibatch::store {
namespace {

namespace json = boost::json;

constexpr std::string_view no_details = R"({"committed":[],"recorded":[],"failures":[]})";

constexpr std::array reasons{window_reason::count,   window_reason::time,  window_reason::bytes,
                             window_reason::timeout, window_reason::flush, window_reason::custom};

[[noreturn]] void damaged(std::string const& what) {
    throw error(errc::corrupt, "the details of a progress record are damaged: " + what);
}

json::value parse(std::string_view text) {
    try {
        return decode_document(text);
    } catch (error const& problem) {
        damaged(problem.diagnostics());
    }
}

template <class Range>
json::array encode_ranges(std::vector<Range> const& ranges) {
    json::array out;
    out.reserve(ranges.size());
    for (auto const& range : ranges) out.push_back(json::array{range.begin, range.end});
    return out;
}

std::int64_t integer(json::value const& value) {
    if (!value.is_int64()) damaged("a number is missing or out of range");
    return value.get_int64();
}

json::array const& list(json::value const& value, char const* what) {
    if (!value.is_array()) damaged(std::string(what) + " is not an array");
    return value.get_array();
}

std::pair<std::int64_t, std::int64_t> pair(json::value const& value, char const* what) {
    auto const& both = list(value, what);
    if (both.size() != 2) damaged(std::string(what) + " is not a pair");
    return {integer(both[0]), integer(both[1])};
}

json::array encode_failures(std::vector<window_failures> const& failures) {
    json::array out;
    out.reserve(failures.size());
    for (auto const& failure : failures) out.push_back(json::array{failure.first, failure.count});
    return out;
}

template <class Range = offset_range>
std::vector<Range> decode_ranges(json::value const& value) {
    std::vector<Range> out;
    for (auto const& range : list(value, "a list of ranges")) {
        auto const [begin, end] = pair(range, "a range");
        out.push_back({begin, end});
    }
    return out;
}

std::vector<window_failures> decode_failures(json::value const& value) {
    std::vector<window_failures> out;
    for (auto const& failure : list(value, "failures")) {
        auto const [first, count] = pair(failure, "a failure");
        if (count < 1 || count > std::numeric_limits<int>::max()) damaged("a failure count out of range");
        out.push_back({first, static_cast<int>(count)});
    }
    return out;
}

window_reason decode_reason(json::value const& value) {
    if (value.is_string())
        for (auto const reason : reasons)
            if (value.get_string() == to_string(reason)) return reason;
    damaged("an unknown reason");
}

recorded_window decode_window(json::value const& value) {
    if (!value.is_object()) damaged("a recorded window is not an object");
    recorded_window out;
    int required = 0;
    for (auto const& [key, field] : value.get_object()) {
        ++required;
        if (key == "offsets") {
            out.offsets = decode_ranges(field);
        } else if (key == "start") {
            out.start = integer(field);
        } else if (key == "end") {
            out.end = integer(field);
        } else if (key == "reason") {
            out.reason = decode_reason(field);
        } else if (key == "windows_end") {
            out.windows_end = integer(field);
            --required;
        } else {
            damaged("unknown field '" + std::string(key) + "'");
        }
    }
    if (required != 4) damaged("a recorded window lacks a field");
    return out;
}

}  // namespace

std::string encode_details(progress const& value) {
    if (value.committed.empty() && value.recorded.empty() && value.failures.empty() && value.windows_done.empty() &&
        value.empty_failures.empty())
        return std::string(no_details);
    json::array recorded;
    for (auto const& window : value.recorded) {
        json::object out{{"offsets", encode_ranges(window.offsets)},
                         {"start", window.start},
                         {"end", window.end},
                         {"reason", json::string_view(to_string(window.reason))}};
        if (window.windows_end) out["windows_end"] = *window.windows_end;
        recorded.push_back(std::move(out));
    }
    json::object out{{"committed", encode_ranges(value.committed)},
                     {"recorded", std::move(recorded)},
                     {"failures", encode_failures(value.failures)}};
    if (!value.windows_done.empty()) out["windows_done"] = encode_ranges(value.windows_done);
    if (!value.empty_failures.empty()) out["empty_failures"] = encode_failures(value.empty_failures);
    return json::serialize(out);
}

void decode_details(std::string_view text, progress& value) {
    progress read = value;
    read.committed.clear();
    read.recorded.clear();
    read.failures.clear();
    read.windows_done.clear();
    read.empty_failures.clear();
    if (text != no_details) {
        auto const parsed = parse(text);
        if (!parsed.is_object()) damaged("not a JSON object");
        auto const& object = parsed.get_object();
        std::size_t required = 3;
        for (auto const& [key, field] : object) {
            if (key == "committed") {
                read.committed = decode_ranges(field);
            } else if (key == "recorded") {
                for (auto const& window : list(field, "recorded")) read.recorded.push_back(decode_window(window));
            } else if (key == "failures") {
                read.failures = decode_failures(field);
            } else if (key == "windows_done") {
                read.windows_done = decode_ranges<time_range>(field);
                ++required;
            } else if (key == "empty_failures") {
                read.empty_failures = decode_failures(field);
                ++required;
            } else {
                damaged("unknown field '" + std::string(key) + "'");
            }
        }
        if (object.size() != required) damaged("a field is missing");
        rules::check_progress(read, errc::corrupt);
    }
    value = std::move(read);
}

}  // namespace minibatch::store
