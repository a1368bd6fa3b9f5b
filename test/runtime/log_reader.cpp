#include <boost/test/unit_test.hpp>

#include "support/worker_parts.hpp"

using namespace std::chrono_literals;
using namespace minibatch;
using namespace minibatch::test;
using windowing::read_requirement;

BOOST_AUTO_TEST_SUITE(log_readers)

BOOST_AUTO_TEST_CASE(nothing_is_read_before_it_is_worth_it) {
    worker_parts w;
    read_requirement const five{5, 5, {}};
    w.append(1);
    BOOST_TEST(w.finish(w.reader->read_if_worth(five)));  // the first read tells where the log ends
    BOOST_TEST(w.remote->taken("read") == 1);
    BOOST_TEST(w.pending->count() == 1);
    BOOST_TEST(w.pending->caught_up());
    w.append(3);
    BOOST_TEST(w.reader->inspected(minibatch::store::log_position{2, 4}));
    BOOST_TEST(!w.pending->caught_up());
    read_requirement const four{4, 4, {}};
    BOOST_TEST(!w.finish(w.reader->read_if_worth(four)));
    BOOST_TEST(w.reader->put_off());
    BOOST_TEST(w.remote->taken("read") == 0);
    w.append(1);
    BOOST_TEST(w.reader->inspected(minibatch::store::log_position{3, 5}));
    BOOST_TEST(w.finish(w.reader->read_if_worth(four)));
    BOOST_TEST(w.remote->taken("read") == 1);
    BOOST_TEST(w.pending->count() == 5);
    BOOST_TEST(!w.reader->inspected(minibatch::store::log_position{3, 5}));  // nothing new
}

BOOST_AUTO_TEST_CASE(doubts_force_a_read) {
    worker_parts w;
    read_requirement const five{5, 5, {}};
    w.finish(w.reader->read(five));
    w.remote->taken("read");
    w.reader->doubt_end();
    w.finish(w.reader->read_if_worth(five));
    BOOST_TEST(w.remote->taken("read") == 1);
    // One that comes while a read is under way stays.
    w.reader->doubt_end();
    w.remote->after_read = [&] { w.reader->doubt_end(); };
    w.finish(w.reader->read_if_worth(five));
    BOOST_TEST(!w.pending->caught_up());
    w.finish(w.reader->read_if_worth(five));
    BOOST_TEST(w.remote->taken("read") == 2);
    BOOST_TEST(w.pending->caught_up());
}

BOOST_AUTO_TEST_CASE(signals_that_are_not_looked_into_are_not_forgotten) {
    worker_parts w;
    read_requirement const two{2, 2, {}};
    BOOST_TEST(!w.reader->wants_inspection(two));  // the end is not known: the next read tells
    w.finish(w.reader->read(two));
    BOOST_TEST(w.reader->wants_inspection(two));
    w.reader->learn_end({1, 2});
    BOOST_TEST(!w.reader->wants_inspection(two));  // it will be read
    w.append(2);
    w.remote->taken("read");
    w.finish(w.reader->read_if_worth(two));
    BOOST_TEST(w.remote->taken("read") == 1);
    BOOST_TEST(w.pending->count() == 2);
}

BOOST_AUTO_TEST_CASE(own_appends_come_from_memory) {
    worker_parts w;
    auto const follower = w.engine->newest.follow(w.group.log, [](auto) {});
    read_requirement const any;
    w.finish(w.reader->read(any));
    w.remote->taken("read");
    log::segment_text text;
    text.add(R"({"value":1})");
    w.engine->writes->append(w.group.log, std::move(text), [](std::optional<error>, std::int64_t, std::string_view) {});
    w.settle();
    BOOST_TEST(w.finish(w.reader->read_if_worth(any)));
    BOOST_TEST(w.pending->count() == 1);
    BOOST_TEST(w.remote->taken("read") == 0);
}

BOOST_AUTO_TEST_CASE(what_retention_has_removed_is_stepped_over) {
    worker_parts w;
    for (int i = 0; i < 5; ++i) w.append(2);
    w.base->open_stream("readings", 1, minibatch::store::retention{{}, 4, {}}, w.time->now());
    w.write<minibatch::store::trim_result>(minibatch::store::trim_request{.log = w.group.log});
    read_requirement const any;
    w.finish(w.reader->read(any));
    BOOST_TEST(w.lost == 6);
    BOOST_TEST(w.pending->front() == 6);
    BOOST_TEST(w.tracker->low() == 6);
}

BOOST_AUTO_TEST_CASE(errors_of_the_store_are_thrown) {
    worker_parts w;
    read_requirement const any;
    w.faulty->fail_call(1, errc::unavailable);
    auto const failed = w.start(w.reader->read(any));
    w.settle();
    BOOST_TEST((failed.code() == errc::unavailable));
    BOOST_TEST(!w.reader->wants_inspection(any));  // not reading any more, and the end is not known
    w.finish(w.reader->read(any));
    BOOST_TEST(w.pending->caught_up());
}

BOOST_AUTO_TEST_SUITE_END()
