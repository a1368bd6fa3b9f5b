#include "mongo/operations.hpp"

#include <algorithm>
#include <atomic>
#include <iostream>
#include <thread>

#include "mongo/expectations.hpp"

namespace minibatch::test {

std::string text_of(minibatch::store::store& of, log_id log) {
    std::string out;
    std::int64_t number = 0;
    std::int64_t next = 0;
    for (;;) {
        auto const got = of.read(log, number, {}, within(calm));
        if (got.records.empty()) return out;
        for (auto const& record : got.records) {
            if (record->first() != next) out += "(a gap)";
            next = record->end();
            for (std::int64_t i = 0; i < record->count(); ++i) out += record->document(i);
        }
        number = got.records.back()->number() + 1;
    }
}

progress one_further(scene const& at) {
    auto state = at.held.state;
    state.low = 2;
    state.low_number = 1;
    return state;
}

group_state group_of(scene& at) { return at.direct->list_groups(at.log.incarnation, within(calm)).at(0); }

scene::scene(std::string direct_url) : direct(opened(direct_url)) {
    log = {direct->open_stream("s", 1, {}, within(calm)).incarnation, 0};
    target = {direct->open_stream("target", 1, {}, within(calm)).incarnation, 0};
    group = {log, "g"};
    for (auto const& documents : {std::vector{0, 1}, {2, 3}, {4}}) {
        log::segment_text text;
        for (auto const i : documents) text.add("{\"i\":" + std::to_string(i) + "}");
        append_request request{log, "scene-" + std::to_string(documents[0]),
                               static_cast<std::int64_t>(documents.size()),
                               std::make_shared<std::string const>(text.finish())};
        write<append_result>(*direct, request, within(calm));
    }
    direct->register_group(group, start_position::earliest, false, within(calm));
    held = write<acquire_result>(*direct, acquire_request{group, "old", "old", milliseconds(60'000), {}}, within(calm));
}

bool operation::writes() const {
    return std::any_of(commands.begin(), commands.end(), [](auto const& each) { return each != "find"; });
}

std::vector<operation> const& all_operations() {
    static auto const all = [] {
        auto out = log_operations();
        for (auto& each : group_operations()) out.push_back(std::move(each));
        return out;
    }();
    return all;
}

void play(std::vector<std::function<std::string()>> const& all, std::size_t threads) {
    std::atomic<std::size_t> next = 0;
    std::mutex mutex;
    std::vector<std::string> problems;
    std::vector<std::thread> players;
    for (std::size_t i = 0; i < threads; ++i) {
        players.emplace_back([&] {
            for (auto at = next++; at < all.size(); at = next++) {
                std::string problem;
                try {
                    problem = all[at]();
                } catch (std::exception const& failure) {
                    problem = std::string("the test itself has failed: ") + failure.what();
                }
                std::lock_guard const lock(mutex);
                if (!problem.empty()) std::cout << problem << std::endl;  // at once, lest a time-out swallows it
                if (!problem.empty()) problems.push_back(problem);
            }
        });
    }
    for (auto& each : players) each.join();
    BOOST_TEST(problems.empty(), problems.size() << " of " << all.size() << " have failed");
}

}  // namespace minibatch::test
