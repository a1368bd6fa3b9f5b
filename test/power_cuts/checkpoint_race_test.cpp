#include <boost/test/unit_test.hpp>
#include <thread>

#include "contract/other_program.hpp"
#include "power_cuts/recording_vfs.hpp"
#include "store/open.hpp"
#include "support/temporary_directory.hpp"

using namespace minibatch;
using namespace minibatch::test;

BOOST_AUTO_TEST_SUITE(checkpoint_race)

namespace {

store::steady_time soon() { return std::chrono::steady_clock::now() + std::chrono::seconds(20); }

void append(store::store& to, store::log_id log, std::size_t bytes) {
    log::segment_text text;
    text.add("{\"x\":\"" + std::string(bytes, 'x') + "\"}");
    store::append_request request;
    request.log = log;
    request.count = 1;
    request.text = std::make_shared<std::string const>(text.finish());
    store::write_job job{std::move(request), {}};
    to.write({&job, 1}, soon());
    BOOST_REQUIRE(std::holds_alternative<store::append_result>(job.result));
}

constexpr std::size_t large = 1'100'000;

/// There is some time between two checkpoints.
void when_due(store::store& which) {
    while (!which.maintenance_due()) std::this_thread::yield();
    which.maintain(soon());
}

}  // namespace

// The log is moved completely by one process, and begun anew by it while another one begins to move it. SQLite before
// 3.51.3 then takes pages of the new log for moved.
BOOST_AUTO_TEST_CASE(a_log_is_not_begun_anew_while_it_is_moved) {
    temporary_directory directory;
    auto const path = std::filesystem::canonical(directory.path()) / "a.db";
    disk files(path.parent_path());
    recording const running(files);
    auto one = store::open_store("sqlite:" + path.string());
    auto other = store::open_store("sqlite:" + path.string());
    store::log_id const log{one->open_stream("s", 1, {}, soon()).incarnation, 0};
    int appended = 0;
    auto const fill = [&](store::store& by) {
        for (int i = 0; i < 5; ++i, ++appended) append(by, log, large);
    };
    fill(*one);
    one->maintain(soon());
    fill(*one);
    append(*other, log, 10);
    other->maintain(soon());
    BOOST_TEST(!other->maintenance_due());
    bool raced = false;
    recording_vfs::instance().intercept([&](file_call const& call) -> std::optional<file_answer> {
        if (call.kind == "unfetch" && !std::exchange(raced, true)) append(*other, log, 10);
        return std::nullopt;
    });
    when_due(*one);
    recording_vfs::instance().intercept({});
    BOOST_TEST(raced);
    fill(*other);
    fill(*other);
    when_due(*other);
    one.reset();
    other.reset();
    BOOST_TEST(other_program(path.string()).query("PRAGMA integrity_check") == "ok|\n");
    BOOST_TEST(other_program(path.string()).query("SELECT count(*) FROM minibatch_segments") ==
               std::to_string(appended + 2) + "|\n");
}

BOOST_AUTO_TEST_SUITE_END()
