#include <algorithm>
#include <map>

#include "reliability/checks.hpp"

namespace minibatch::test {
namespace {

std::string describe(append_call const& call) {
    return "producer " + std::to_string(call.producer) + ", " + call.mode + " " + std::to_string(call.first) + "-" +
           std::to_string(call.last);
}

/// What is stored of a call, by number.
void check_call(append_call const& call, std::vector<numbered> const& stored, int partitions,
                std::vector<std::string>& problems) {
    auto const all = call.last - call.first + 1;
    auto const size = static_cast<std::int64_t>(stored.size());
    if (call.acknowledged && size != all)
        problems.push_back(describe(call) + ": " + std::to_string(size) + " of " + std::to_string(all) +
                           " acknowledged messages are there");
    if (stored.empty()) return;
    auto const& first = stored.front();
    if (call.mode == "buffered") {
        // Batches are written one after the other, so that a kill cuts off the end alone.
        if (partitions == 1 && stored.back().number - call.first + 1 != size)
            problems.push_back(describe(call) + " has a gap");
        return;
    }
    if (size != all) problems.push_back(describe(call) + " was stored in part");
    for (std::int64_t i = 0; i < size; ++i) {
        auto const& each = stored[static_cast<std::size_t>(i)];
        if (each.partition != first.partition || each.offset != first.offset + i)
            problems.push_back(describe(call) + " is not in one piece");
    }
    if (call.acknowledged && (first.partition != call.partition || first.offset != call.offset))
        problems.push_back(describe(call) + " is not where it was said to be");
}

}  // namespace

std::vector<std::string> check_appends(history const& all, std::vector<numbered> const& log, int partitions) {
    std::vector<std::string> problems;
    std::map<std::pair<int, std::int64_t>, numbered> by_number;
    std::map<std::pair<int, int>, std::int64_t> latest;  // number by partition and producer
    for (auto const& each : log) {
        auto const name = std::to_string(each.producer) + ":" + std::to_string(each.number);
        if (!by_number.emplace(std::pair(each.producer, each.number), each).second)
            problems.push_back("message " + name + " is there twice");
        auto const [before, is_first] = latest.try_emplace({each.partition, each.producer}, each.number);
        if (!is_first && each.number <= before->second)
            problems.push_back("message " + name + " comes after " + std::to_string(before->second));
        before->second = each.number;
    }
    std::size_t known = 0;
    for (auto const& call : all.calls) {
        std::vector<numbered> stored;
        for (auto at = by_number.lower_bound({call.producer, call.first});
             at != by_number.end() && at->first.first == call.producer && at->first.second <= call.last; ++at)
            stored.push_back(at->second);
        known += stored.size();
        check_call(call, stored, partitions, problems);
    }
    if (known != by_number.size()) problems.push_back("there are messages that nobody has appended");
    return problems;
}

}  // namespace minibatch::test
