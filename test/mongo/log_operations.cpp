#include "mongo/expectations.hpp"

/// Operations on streams and their logs.
namespace minibatch::test {
namespace {

std::string after_append(scene& at, bool succeeded) {
    return expect("the log", text_of(*at.direct, at.log), scene_text + std::string(R"({"new":1})"), !succeeded,
                  scene_text);
}

}  // namespace

std::vector<operation> log_operations() {
    std::vector<operation> all;
    all.push_back({"connect",
                   {"connect", "read streams"},
                   [](scene& at, steady_time deadline) {
                       auto const left = deadline - std::chrono::steady_clock::now();
                       at.faulty = opened(at.faulty_url, std::chrono::floor<milliseconds>(left));
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
                   [](scene&, bool) { return std::string(); },
                   false,
                   {},
                   {"find"}});
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
                   },
                   false,
                   {},
                   {"find", "findAndModify"}});
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
                   [](scene&, bool) { return std::string(); },
                   false,
                   {},
                   {"find"}});
    all.push_back({"state",
                   {"read"},
                   [](scene& at, steady_time deadline) {
                       if (at.faulty->state(at.log, deadline).end.offset != scene_messages)
                           throw std::runtime_error("wrong end");
                   },
                   [](scene&, bool) { return std::string(); },
                   false,
                   {},
                   {"find"}});
    all.push_back({"change retention",
                   {"open stream", "read streams"},
                   [](scene& at, steady_time deadline) {
                       retention limits;
                       limits.max_messages = 100;
                       at.faulty->open_stream("s", {}, limits, deadline);
                   },
                   [](scene& at, bool succeeded) {
                       auto const limit = at.direct->find_stream("s", within(calm))->limits.max_messages;
                       return expect("the limit", number(limit.value_or(0)), "100", !succeeded, "0");
                   },
                   false,
                   {},
                   {"find", "update"}});
    all.push_back({"read collection",
                   {"read collection"},
                   [](scene& at, steady_time deadline) {
                       // In several batches; the collection is one of the store's own.
                       if (at.faulty->read_collection("minibatch_segments", deadline).size() != 5)
                           throw std::runtime_error("wrong documents");
                   },
                   [](scene&, bool) { return std::string(); },
                   false,
                   {},
                   {"find"}});
    return all;
}

}  // namespace minibatch::test
