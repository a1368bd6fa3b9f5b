#include "mongo/expectations.hpp"

/// Operations on consumer groups.
namespace minibatch::test {
namespace {

std::string after_writes(scene& at, bool succeeded) {
    std::string found = number(group_of(at).state.low) + text_of(*at.direct, at.target);
    for (auto const& [key, document] : at.direct->read_collection("c", within(calm))) found += key + document;
    return expect("what was written", found, R"(2{"new":1}{"in":1}k{"up":1})", !succeeded, "0");
}

}  // namespace

std::vector<operation> group_operations() {
    std::vector<operation> all;
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
                   },
                   false,
                   {},
                   {"find", "update", "delete"}});
    return all;
}

}  // namespace minibatch::test
