#include "mongo/operations.hpp"

#include <atomic>
#include <iostream>
#include <thread>

namespace minibatch::test {
namespace {

constexpr milliseconds calm{20'000};

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

std::string expect(std::string const& what, std::string const& is, std::string const& wanted, bool or_nothing = false,
                   std::string const& nothing = {}) {
    if (is == wanted || (or_nothing && is == nothing)) return {};
    return what + " is '" + is + "', not '" + wanted + "'";
}

std::string number(std::int64_t value) { return std::to_string(value); }

progress one_further(scene const& at) {
    auto state = at.held.state;
    state.low = 2;
    state.low_number = 1;
    return state;
}

group_state group_of(scene& at) { return at.direct->list_groups(at.log.incarnation, within(calm)).at(0); }

constexpr auto scene_text = R"({"i":0}{"i":1}{"i":2}{"i":3}{"i":4})";

std::string after_append(scene& at, bool succeeded) {
    return expect("the log", text_of(*at.direct, at.log), scene_text + std::string(R"({"new":1})"), !succeeded,
                  scene_text);
}

std::string after_writes(scene& at, bool succeeded) {
    std::string found = number(group_of(at).state.low) + text_of(*at.direct, at.target);
    for (auto const& [key, document] : at.direct->read_collection("c", within(calm))) found += key + document;
    return expect("what was written", found, R"(2{"new":1}{"in":1}k{"up":1})", !succeeded, "0");
}

std::vector<operation> make_all() {
    std::vector<operation> all;
    all.push_back({"connect",
                   {"connect", "read streams"},
                   [](scene& at, steady_time deadline) {
                       open_options options;
                       options.timeout = std::chrono::floor<milliseconds>(deadline - std::chrono::steady_clock::now());
                       at.faulty = open_store(at.faulty_url, options);
                   },
                   [](scene& at, bool succeeded) {
                       if (!succeeded) return std::string();
                       return expect("the log", text_of(*at.faulty, at.log), scene_text);
                   },
                   false,
                   {},
                   {"find"}});
    all.push_back({"open stream",
                   {"open stream", "create stream", "read streams"},
                   [](scene& at, steady_time deadline) { at.faulty->open_stream("made", 2, {}, deadline); },
                   [](scene& at, bool succeeded) -> std::string {
                       auto const found = at.direct->find_stream("made", within(calm));
                       if (!found) return succeeded ? "there is no stream" : "";
                       if (found->partitions != 2) return "it has other partitions";
                       // It is whole.
                       for (int partition = 0; partition < 2; ++partition)
                           append(*at.direct, {found->incarnation, partition}, "{}", calm);
                       return {};
                   },
                   false,
                   {},
                   {"find", "insert"}});
    all.push_back({"append",
                   {"append"},
                   [](scene& at, steady_time deadline) {
                       auto const where =
                           write<append_result>(*at.faulty, one_message(at.log, R"({"new":1})", "batch-1"), deadline);
                       if (where.first != scene_messages) throw std::runtime_error("appended at the wrong offset");
                   },
                   after_append,
                   true,
                   [](scene& at) { return text_of(*at.direct, at.log) != scene_text; },
                   {"find", "insert"}});
    all.push_back({"seal",
                   {"seal"},
                   [](scene& at, steady_time deadline) {
                       auto const until = at.faulty->now();
                       auto const end = write<seal_result>(*at.faulty, seal_request{at.log, until}, deadline).end;
                       if (end.offset != scene_messages) throw std::runtime_error("sealed at the wrong offset");
                       if (at.direct->state(at.log, within(calm)).last_created < until)
                           throw std::runtime_error("it is not sealed");
                   },
                   [](scene& at, bool) {
                       return expect("the log", text_of(*at.direct, at.log), scene_text) +
                              (at.direct->state(at.log, within(calm)).end.number > 5 ? "two control records" : "");
                   },
                   false,
                   {},
                   {"find", "insert"}});
    all.push_back({"read",
                   {"read"},
                   [](scene& at, steady_time deadline) {
                       auto const got = at.faulty->read(at.log, 0, {}, deadline);
                       std::int64_t next = 0;
                       for (auto const& record : got.records) next += record->count();
                       if (next != scene_messages) throw std::runtime_error("messages are missing");
                   },
                   [](scene&, bool) { return std::string(); },
                   false,
                   {},
                   {"find"}});
    all.push_back({"locate",
                   {"read"},
                   [](scene& at, steady_time deadline) {
                       if (at.faulty->locate(at.log, 3, deadline) != 1) throw std::runtime_error("wrong record");
                   },
                   [](scene&, bool) { return std::string(); }});
    all.push_back(
        {"register group",
         {"register group", "read"},
         [](scene& at, steady_time deadline) {
             auto const made = at.faulty->register_group({at.log, "other"}, start_position::latest, true, deadline);
             if (made.state.low != scene_messages) throw std::runtime_error("it starts elsewhere");
         },
         [](scene& at, bool succeeded) {
             auto const all_groups = at.direct->list_groups(at.log.incarnation, within(calm));
             return expect("groups", number(static_cast<std::int64_t>(all_groups.size())), "2", !succeeded, "1");
         },
         false,
         {},
         {"findAndModify", "insert"}});
    all.push_back(
        {"acquire lease",
         {"acquire lease", "read"},
         [](scene& at, steady_time deadline) {
             auto const got = write<acquire_result>(
                 *at.faulty, acquire_request{at.group, "new", "new", milliseconds(9'000), at.held.held}, deadline);
             if (!got.granted) throw std::runtime_error("the lease is not granted");
         },
         [](scene& at, bool succeeded) {
             auto const group = group_of(at);
             return expect("the lease", group.held.owner + number(group.held.epoch) + number(group.state.takeovers),
                           "new21", !succeeded, "old10");
         },
         false,
         {},
         {"findAndModify"}});
    all.push_back(
        {"renew lease",
         {"renew leases", "read"},
         [](scene& at, steady_time deadline) {
             write<minibatch::store::done>(*at.faulty, renew_request{at.group, 1, milliseconds(100'000)}, deadline);
         },
         [](scene& at, bool succeeded) {
             auto const held = group_of(at).held;
             bool const longer = held.expires > at.held.held.expires + 30'000;
             return expect("the lease", held.owner + (longer ? "+" : ""), "old+", !succeeded, "old");
         },
         false,
         {},
         {"update"}});
    all.push_back({"release lease",
                   {"release lease", "read"},
                   [](scene& at, steady_time deadline) {
                       write<minibatch::store::done>(*at.faulty, release_request{at.group, 1}, deadline);
                   },
                   [](scene& at, bool succeeded) {
                       auto const held = group_of(at).held;
                       return expect("the lease", held.owner + number(held.epoch), "1", !succeeded, "old1");
                   },
                   false,
                   {},
                   {"update"}});
    all.push_back(
        {"commit",
         {"commit", "read"},
         [](scene& at, steady_time deadline) {
             write<minibatch::store::done>(*at.faulty, commit_request{at.group, 1, one_further(at), {}}, deadline);
         },
         [](scene& at, bool succeeded) {
             return expect("progress", number(group_of(at).state.low), "2", !succeeded, "0");
         },
         true,
         [](scene& at) { return group_of(at).state.low != 0; },
         {"update"}});
    all.push_back({"commit with writes",
                   {"commit", "read"},
                   [](scene& at, steady_time deadline) {
                       using kinds = document_write::kind;
                       std::vector<document_write> writes{{kinds::insert, "c", "", 0, R"({"in":1})"},
                                                          {kinds::upsert, "c", "k", 0, R"({"up":1})"},
                                                          {kinds::append, "target", "", 0, R"({"new":1})"}};
                       write<minibatch::store::done>(
                           *at.faulty, commit_request{at.group, 1, one_further(at), std::move(writes)}, deadline);
                   },
                   after_writes,
                   true,
                   [](scene& at) { return group_of(at).state.low != 0; },
                   {"find", "insert", "update", "commitTransaction"}});
    all.push_back(
        {"trim",
         {"trim", "read"},
         [](scene& at, steady_time deadline) {
             write<minibatch::store::done>(*at.direct, commit_request{at.group, 1, one_further(at), {}}, within(calm));
             write<trim_result>(*at.faulty, trim_request{at.log, 256}, deadline);
         },
         [](scene& at, bool succeeded) {
             auto const floor = at.direct->state(at.log, within(calm)).floor;
             return expect("the floor", number(floor.number) + "," + number(floor.offset), "1,2", !succeeded, "0,0");
         },
         false,
         {},
         {"find", "findAndModify"}});
    all.push_back({"clear stream",
                   {"trim", "read"},
                   [](scene& at, steady_time deadline) { at.faulty->clear_stream(at.log.incarnation, deadline); },
                   [](scene& at, bool succeeded) {
                       auto const floor = at.direct->state(at.log, within(calm)).floor;
                       return expect("the floor", number(floor.number) + "," + number(floor.offset), "3,5", !succeeded,
                                     "0,0");
                   }});
    all.push_back({"delete stream",
                   {"delete stream", "read"},
                   [](scene& at, steady_time deadline) {
                       // After a failure it may be gone already.
                       static_cast<void>(at.faulty->delete_stream("s", at.log.incarnation, deadline));
                   },
                   [](scene& at, bool succeeded) {
                       auto const there = at.direct->find_stream("s", within(calm)).has_value();
                       if (!succeeded) return std::string();
                       auto const code = outcome_of([&] { append(*at.direct, at.log, "{}", calm); }).code;
                       return expect("the stream", there || code != errc::stream_deleted ? "there" : "gone", "gone");
                   },
                   false,
                   {},
                   {"find", "update", "delete", "insert"}});
    all.push_back({"delete group",
                   {"delete group", "read"},
                   [](scene& at, steady_time deadline) {
                       auto const there = at.direct->list_groups(at.log.incarnation, within(calm));
                       if (!there.empty() && there[0].held.held())
                           write<minibatch::store::done>(*at.direct, release_request{at.group, 1}, within(calm));
                       static_cast<void>(at.faulty->delete_group(at.log.incarnation, "g", deadline));
                   },
                   [](scene& at, bool succeeded) {
                       auto const all_groups = at.direct->list_groups(at.log.incarnation, within(calm));
                       if (!succeeded) return std::string();
                       return expect("groups", number(static_cast<std::int64_t>(all_groups.size())), "0");
                   }});
    all.push_back({"list",
                   {"read"},
                   [](scene& at, steady_time deadline) {
                       if (at.faulty->list_streams(deadline).size() != 2) throw std::runtime_error("wrong streams");
                       if (at.faulty->list_groups(at.log.incarnation, deadline).size() != 1)
                           throw std::runtime_error("wrong groups");
                   },
                   [](scene&, bool) { return std::string(); },
                   false,
                   {},
                   {"find"}});
    all.push_back({"inspect",
                   {"look for changes", "read"},
                   [](scene& at, steady_time deadline) {
                       auto const found = at.faulty->inspect({&at.log, 1}, {&at.group, 1}, deadline);
                       if (!found.ends.at(0) || found.ends[0]->offset != scene_messages)
                           throw std::runtime_error("wrong end");
                       if (!found.leases.at(0) || found.leases[0]->owner != "old")
                           throw std::runtime_error("wrong lease");
                   },
                   [](scene&, bool) { return std::string(); }});
    return all;
}

}  // namespace

scene::scene(std::string direct_url) : direct(open_store(direct_url)) {
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

std::vector<operation> const& all_operations() {
    static auto const all = make_all();
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
