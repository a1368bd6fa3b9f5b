#include <boost/test/unit_test.hpp>

#include "contract/other_program.hpp"
#include "power_cuts/power_cuts.hpp"
#include "support/decorated_store.hpp"

using namespace minibatch;
using namespace minibatch::test;
using outcome = operation::outcome;

BOOST_AUTO_TEST_SUITE(mutants)

namespace {

/// Mutants are found with many seeds, not with all: a planted fault shows only in some of the cuts.
constexpr unsigned seed_that_finds = 7;

/// Gives another answer than the store.
class lying_store final : public decorated_store {
  public:
    using lie = std::function<void(minibatch::store::write_result&)>;
    lying_store(std::shared_ptr<minibatch::store::store> inner, lie how)
        : decorated_store(std::move(inner)), lie_(std::move(how)) {}

    void write(std::span<minibatch::store::write_job> jobs, deadline_t deadline) noexcept override {
        inner_->write(jobs, deadline);
        for (auto& job : jobs) lie_(job.result);
    }

  private:
    void before(std::string_view) override {}
    lie lie_;
};

bool unknown(minibatch::store::write_result const& result) {
    auto const* const problem = std::get_if<error>(&result);
    return problem && problem->code() == errc::outcome_unknown;
}

void some_appends(workload& program) {
    for (int i = 0; i < 6; ++i) program.append(i + 1);
}

/// Every sync from the n-th on fails.
auto failing_from(int n) { return nth_call("sync", n, {SQLITE_IOERR_FSYNC, false}, 1'000'000); }

int syncs_of_some_appends() {
    nth_call const counting("sync", 1'000'000);
    rehearsal r(counting);
    some_appends(r.program);
    return counting.count();
}

bool says(findings const& found, std::string_view what) {
    for (auto const& sentence : found.wrong)
        if (sentence.find(what) != sentence.npos) return true;
    return false;
}

}  // namespace

BOOST_AUTO_TEST_CASE(syncs_left_out_are_found) {
    std::mt19937 random(seed_that_finds);
    rehearsal r([](file_call const& call) -> std::optional<file_answer> {
        if (call.kind == "sync") return file_answer{SQLITE_OK, false};
        return std::nullopt;
    });
    some_appends(r.program);
    BOOST_TEST(r.program.count(outcome::done) == 6);
    BOOST_TEST(says(r.cut_everywhere(promise::each, random, 0, 3), "was acknowledged and is lost"));
}

BOOST_AUTO_TEST_CASE(a_failed_sync_taken_for_success_is_found) {
    std::mt19937 random(seed_that_finds);
    int syncs = 0;
    disk* files = nullptr;
    int const last = syncs_of_some_appends();
    rehearsal r([&](file_call const& call) -> std::optional<file_answer> {
        if (call.kind != "sync" || ++syncs != last - 2) return std::nullopt;
        files->record({disk_event::kind::failed_sync, {}, files->number_of(call.file)});
        return file_answer{SQLITE_OK, false};
    });
    files = &r.files;
    some_appends(r.program);
    BOOST_TEST(r.program.count(outcome::done) == 6);
    BOOST_TEST(says(r.cut_everywhere(promise::each, random, 0, 3), "was acknowledged and is lost"));
}

BOOST_AUTO_TEST_CASE(a_commit_in_doubt_taken_for_done_is_found) {
    std::mt19937 random(seed_that_finds);
    rehearsal r(failing_from(syncs_of_some_appends() - 1), {}, [](auto inner) {
        return std::make_shared<lying_store>(inner, [](minibatch::store::write_result& result) {
            if (unknown(result)) result = minibatch::store::append_result{99, 99, 0};
        });
    });
    some_appends(r.program);
    BOOST_TEST(says(r.cut_everywhere(promise::each, random, 0, 3), "was acknowledged and is lost"));
}

BOOST_AUTO_TEST_CASE(a_later_part_without_an_earlier_one_is_found) {
    std::mt19937 random(seed_that_finds);
    rehearsal r({}, {}, [](auto inner) {
        return std::make_shared<lying_store>(inner, [count = 0](minibatch::store::write_result& result) mutable {
            auto const* const got = std::get_if<minibatch::store::append_result>(&result);
            if (got && ++count == 3) result = error(errc::timeout, "not done");
        });
    });
    some_appends(r.program);
    BOOST_TEST(says(r.cut_everywhere(promise::prefix, random, 0, 3), "is there, though it was refused"));
}

// What is planted in the database itself: a loss, a double, a reordering, progress too far, damage.
BOOST_AUTO_TEST_CASE(the_check_finds_what_is_planted) {
    struct plant {
        char const* sql;
        char const* found;
    };
    for (auto const& [sql, expected] : {
             plant{"DELETE FROM minibatch_segments WHERE id & 0xff = (SELECT max(id & 0xff) FROM minibatch_segments)",
                   "was acknowledged and is lost"},
             plant{"DELETE FROM minibatch_segments WHERE id & 0xff = 1", "missing"},
             plant{"UPDATE minibatch_segments SET data = (SELECT data FROM minibatch_segments WHERE id & 0xff = 1), "
                   "bytes = (SELECT bytes FROM minibatch_segments WHERE id & 0xff = 1) WHERE id & 0xff = 3",
                   "is there twice"},
             plant{
                 "UPDATE minibatch_segments SET data = CASE id & 0xff WHEN 1 THEN (SELECT data FROM minibatch_segments "
                 "WHERE id & 0xff = 3) WHEN 3 THEN (SELECT data FROM minibatch_segments WHERE id & 0xff = 1) ELSE data "
                 "END",
                 "behind a later one"},
             plant{"UPDATE minibatch_groups SET low = low + 1", "progress is at"},
             plant{"UPDATE minibatch_groups SET low = 0, low_number = 0", "progress is at"},
             plant{"DELETE FROM minibatch_collections", "was acknowledged and is lost"},
             plant{"INSERT INTO minibatch_collections (collection, document) SELECT collection, document FROM "
                   "minibatch_collections",
                   "carried out twice"},
         }) {
        rehearsal r;
        for (int i = 0; i < 5; ++i) r.program.append(2);
        r.program.commit();
        r.program.commit();
        r.program.close();
        auto const path = r.files.root() / workload::database_name();
        auto const now = [&] {
            return violations(r.files.root(), r.program.operations(), r.files.size(), promise::each);
        };
        BOOST_TEST(violations(r.files.root(), r.program.operations(), r.files.size(), promise::each).empty());
        other_program(path.string()).run("DELETE FROM minibatch_segments WHERE data = '[{\"new\":1}]'");
        other_program(path.string()).run(sql);
        findings const found{1, now()};
        BOOST_TEST(says(found, expected), sql << ": " << (found.wrong.empty() ? "nothing" : found.wrong.front()));
    }
}

BOOST_AUTO_TEST_SUITE_END()
