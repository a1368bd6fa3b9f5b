#include "windowing/cut.hpp"

#include <algorithm>
#include <chrono>

namespace minibatch::windowing {

std::int64_t slice::bytes() const noexcept {
    // The documents stand one after the other with ",\n" between them: no need to look at each.
    return static_cast<std::int64_t>(segment->documents(begin, end).size()) - 2 * (count() - 1);
}

std::int64_t cut::count() const noexcept {
    std::int64_t total = 0;
    for (auto const& range : offsets) total += range.end - range.begin;
    return total;
}

std::int64_t cut::bytes() const noexcept {
    std::int64_t total = 0;
    for (auto const& each : slices) total += each.bytes();
    return total;
}

cut make_cut(std::vector<slice> slices, window_reason reason, bool rebuildable) {
    cut made;
    made.reason = reason;
    made.rebuildable = rebuildable;
    slice const* lowest = nullptr;
    slice const* highest = nullptr;
    for (auto const& each : slices) {
        if (lowest == nullptr || each.first_offset() < lowest->first_offset()) lowest = &each;
        if (highest == nullptr || each.first_offset() > highest->first_offset()) highest = &each;
        if (!made.offsets.empty() && made.offsets.back().end == each.first_offset()) {
            made.offsets.back().end = each.end_offset();
        } else {
            made.offsets.push_back({each.first_offset(), each.end_offset()});
        }
    }
    if (lowest != nullptr) {
        made.first = lowest->first_offset();
        made.last = highest->end_offset() - 1;
        made.start = lowest->segment->created();
        made.end = highest->segment->created();
    }
    made.slices = std::move(slices);
    return made;
}

std::string window_id(std::string_view group, int partition, cut const& window) {
    std::string id(group);
    id += '/';
    id += std::to_string(partition);
    if (window.first < 0) {
        id += "/@";
        id += std::to_string(window.start);
    } else {
        id += '/';
        id += std::to_string(window.first);
        id += '-';
        id += std::to_string(window.last);
    }
    return id;
}

void append_messages(slice const& from, int partition, std::vector<message>& to) {
    time_point const created{std::chrono::milliseconds(from.segment->created())};
    for (auto i = from.begin; i < from.end; ++i) {
        to.emplace_back(from.segment->first() + i, created, partition, from.segment->document(i), from.segment);
    }
}

std::vector<message> messages_of(cut const& window, int partition) {
    std::vector<message> messages;
    messages.reserve(static_cast<std::size_t>(window.count()));
    for (auto const& each : window.slices) append_messages(each, partition, messages);
    return messages;
}

}  // namespace minibatch::windowing
