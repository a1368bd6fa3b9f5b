// A store that returns records which contradict one another: consumers report errc::corrupt at once. On virtual time,
// so that waiting in vain would show.

#include <boost/test/unit_test.hpp>
#include <functional>

#include "support/decorated_store.hpp"
#include "support/rig.hpp"

using namespace minibatch;
using namespace minibatch::test;

BOOST_AUTO_TEST_SUITE(damaged_reads)

namespace {

using store::read_result;

/// Changes what `read` returns.
class damaged_store final : public decorated_store {
  public:
    damaged_store(std::shared_ptr<minibatch::store::store> inner, std::function<void(read_result&)> damage)
        : decorated_store(std::move(inner)), damage_(std::move(damage)) {}
    read_result read(minibatch::store::log_id log, std::int64_t from, minibatch::store::read_limits limits,
                     deadline_t deadline) override {
        auto found = inner_->read(log, from, limits, deadline);
        damage_(found);
        return found;
    }

  private:
    void before(std::string_view) override {}
    std::function<void(read_result&)> damage_;
};

log::segment_ptr moved(log::segment_ptr const& record, std::int64_t number, std::int64_t first) {
    auto const text = std::make_shared<std::string const>("[" + std::string(record->documents(0, 1)) + "]");
    return std::make_shared<log::segment const>(record->number() + number, record->first() + first, 1,
                                                record->created(), text);
}

/// What a consumer is told of a log of three records, of one message each.
std::string told(std::function<void(read_result&)> damage) {
    rig r;
    for (int i = 0; i < 3; ++i) r.append(i);
    auto const other = r.open(std::make_shared<damaged_store>(r.memory(r.name), std::move(damage)));
    auto stream = r.finish(other.find_stream("readings"));
    consumer_options options;
    options.group = "other";
    auto consumer = r.finish(stream.consume(count_window(3), options));
    auto const before = r.time->now();
    auto waiting = r.begin(consumer.next_window());
    r.advance(milliseconds(100));
    BOOST_TEST_REQUIRE(waiting.done());
    BOOST_TEST((r.time->now() - before <= milliseconds(100)));
    if (waiting.ok()) return "";
    BOOST_TEST((waiting.code() == errc::corrupt), waiting.what());
    return waiting.what();
}

}  // namespace

BOOST_AUTO_TEST_CASE(undamaged_reads_deliver) {
    BOOST_TEST(told([](read_result&) {}) == "");
}

BOOST_AUTO_TEST_CASE(gaps_and_contradictions_are_reported) {
    std::string const where = "stream 'readings', partition 0: ";
    BOOST_TEST(told([](read_result& read) { read.records.clear(); }) == where + "record 0 is missing");
    for (auto const& damage : std::vector<std::function<void(read_result&)>>{
             [](read_result& read) { read.records.erase(read.records.begin() + 1); },
             [](read_result& read) { read.records.erase(read.records.begin()); },
             [](read_result& read) { std::swap(read.records[0], read.records[1]); },
             [](read_result& read) { read.records[1] = moved(read.records[1], 0, 1); },
             [](read_result& read) { read.records[1] = moved(read.records[1], 1, 0); },
             [](read_result& read) { read.records[2] = moved(read.records[2], 0, 5); },
             [](read_result& read) { read.state.end.offset = 2; },
             [](read_result& read) { read.state.floor.number = -1; },
             [](read_result& read) {
                 read.state.end = {INT64_MAX, INT64_MAX};
             },
         })
        BOOST_TEST(told(damage).starts_with(where));
}

BOOST_AUTO_TEST_SUITE_END()
