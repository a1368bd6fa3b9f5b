#include <boost/test/unit_test.hpp>

#include "support/ledger.hpp"
#include "support/rig.hpp"

using namespace std::chrono_literals;
using namespace minibatch;
using namespace minibatch::test;

BOOST_AUTO_TEST_SUITE(failing_calls)

namespace {

/// A day in the life of a stream, told by a caller who repeats what has failed. Everything is noted in a ledger.
class story {
  public:
    story(int call, errc code, failing_store::way how, int times, rig::place at) : code_(code) {
        store_ = world_.memory(name_);
        auto const used = at == rig::place::far ? std::make_shared<remote_store>(store_) : store_;
        faulty_ = std::make_shared<failing_store>(used);
        faulty_->fail_call(call, code, how, times);
        db_ = world_.open(faulty_);
    }

    /// Returns the names of the calls that failed; none if there were not so many.
    std::set<std::string> run() {
        repeat([&] { return stream::get_or_create(db_, "readings"); },
               [&](stream made) { readings_ = std::move(made); });
        for (int i = 0; i < 2; ++i) append({book_.fresh()});
        append({book_.fresh(), book_.fresh(), book_.fresh()});
        append_together();
        join();
        take_and_commit();
        take_and_fail();
        take_and_commit();
        produce();
        repeat([&] { return readings_.info(); }, [](stream_info const& info) { BOOST_TEST(info.name == "readings"); });
        take_and_commit();
        world_.advance(1s);  // what is committed is removed
        windows_.stop(drain::flush);
        while (take_and_commit()) {
        }
        repeat([&] { return readings_.info(); }, [](stream_info const&) {});
        windows_ = {};
        auto const hit = faulty_->hit();
        faulty_->heal();
        consume_rest();
        return hit;
    }

  private:
    /// Runs an operation; its failure must be the injected one, and say so.
    template <class T>
    started<T> run(asio::awaitable<T> operation) {
        auto made = world_.start(std::move(operation));
        world_.wait(made);
        if (!made.ok()) {
            ++failures_;
            BOOST_TEST((made.code() == code_ || made.code() == errc::outcome_unknown), made.what());
            BOOST_TEST(made.what().find("database 'test', ") != std::string::npos, made.what());
        }
        BOOST_REQUIRE(failures_ < 30);
        return made;
    }
    template <class Make, class Use>
    void repeat(Make const& make, Use const& use) {
        for (;;) {
            auto const done = run(make());
            if (done.ok()) return use(std::move(done.value()));
        }
    }

    void append(std::vector<std::int64_t> const& values) {
        std::vector<boost::json::value> documents;
        for (auto const value : values) documents.push_back(reading(value));
        for (;;) {
            auto const done = run(readings_.append(documents));
            if (done.ok()) return book_.appended(done.value().offset, values);
            if (done.code() == errc::outcome_unknown) return book_.in_doubt(values);
        }
    }
    void append_together() {
        std::vector<std::pair<std::int64_t, started<position>>> together;
        for (int i = 0; i < 3; ++i) {
            auto const value = book_.fresh();
            auto const document = reading(value);
            together.emplace_back(value, world_.start(readings_.append(document)));
        }
        for (auto const& [value, done] : together) {
            world_.wait(done);
            if (done.ok())
                book_.appended(done.value().offset, {value});
            else if (done.code() == errc::outcome_unknown)
                book_.in_doubt({value});
            else
                append({value});
        }
    }
    void produce() {
        auto writer = readings_.make_producer({.batch_size = 3, .linger = 2ms});
        std::vector<std::int64_t> sent;
        for (int i = 0; i < 7; ++i) {
            auto const value = book_.fresh();
            if (run(writer.append(reading(value))).ok())
                sent.push_back(value);
            else
                append({value});
        }
        std::set<std::int64_t> unwritten;
        bool unknown = false;
        for (;;) {
            auto const flushed = run(writer.flush());
            if (flushed.ok()) break;
            unknown = flushed.code() == errc::outcome_unknown;
            for (auto const& text : writer.take_unwritten())
                unwritten.insert(decode_document(text).at("value").to_number<std::int64_t>());
            BOOST_TEST(!unwritten.empty());
        }
        for (auto const value : sent) {
            if (!unwritten.contains(value))
                book_.appended_somewhere(value);
            else if (unknown)
                book_.in_doubt({value});
            else
                append({value});
        }
    }

    void join() {
        repeat([&] { return readings_.consume(count_window(3), {.lease = 3s}); },
               [&](consumer made) { windows_ = std::move(made); });
    }
    std::optional<window> take() {
        std::optional<window> taken;
        repeat([&] { return windows_.next_window(); }, [&](std::optional<window> got) { taken = std::move(got); });
        return taken;
    }
    bool take_and_commit() {
        auto held = take();
        if (!held) return false;
        for (;;) {
            auto const done = run(held->commit());
            if (done.ok()) {
                book_.committed(*held);
                return true;
            }
            if (done.code() == errc::outcome_unknown) {
                book_.commit_in_doubt(*held);
                return true;
            }
        }
    }
    void take_and_fail() {
        auto held = take();
        BOOST_REQUIRE(held.has_value());
        auto const id = held->id();
        auto const attempt = held->attempt();
        run(held->fail("on purpose", 50ms));  // it is postponed in any case, and perhaps not counted
        held.reset();
        auto again = take();
        BOOST_REQUIRE(again.has_value());
        BOOST_TEST(again->id() == id);
        BOOST_TEST(again->attempt() > attempt);
    }
    /// With a handle that does not fail.
    void consume_rest() {
        world_.advance(10s);  // a lease that could not be released runs out
        auto healthy = world_.open(store_);
        auto readings = world_.finish(healthy.find_stream("readings"));
        auto rest = world_.finish(readings.consume(count_window(1)));
        for (;;) {
            auto const info = world_.finish(readings.info());
            if (info.groups.at(0).lag == 0) break;
            auto held = world_.finish(rest.next_window());
            world_.finish(held->commit());
            book_.committed(*held);
        }
        auto const log = store_->find_stream("readings", world_.time->now())->incarnation;
        book_.check(store_->state({log, 0}, world_.time->now()).end.offset);
    }

    static std::string unique() {
        static int count = 0;
        return "story" + std::to_string(++count);
    }

    world world_;
    std::string const name_ = unique();
    errc const code_;
    int failures_ = 0;
    std::shared_ptr<minibatch::store::store> store_;
    std::shared_ptr<failing_store> faulty_;
    database db_;
    stream readings_;
    consumer windows_;
    ledger book_;
};

/// The story with its n-th call of the store failing, for every n.
void fail_each(errc code, failing_store::way how = failing_store::way::refused, int times = 1) {
    for (auto const at : {rig::place::here, rig::place::far}) {
        std::set<std::string> hit;
        for (int call = 1;; ++call) {
            BOOST_REQUIRE(call < 1000);
            BOOST_TEST_CONTEXT("call " << call << (at == rig::place::far ? ", far" : "")) {
                auto const names = story(call, code, how, times, at).run();
                if (names.empty()) break;
                hit.insert(names.begin(), names.end());
            }
        }
        for (auto const* const each :
             {"open stream", "register group", "list groups", "read", "state", "write", "watch"})
            BOOST_TEST(hit.contains(each), each);
    }
}

}  // namespace

BOOST_AUTO_TEST_CASE(unavailable) { fail_each(errc::unavailable); }
BOOST_AUTO_TEST_CASE(storage_full) { fail_each(errc::storage_full); }
BOOST_AUTO_TEST_CASE(store_failure) { fail_each(errc::store_failure); }
BOOST_AUTO_TEST_CASE(timeout) { fail_each(errc::timeout); }
BOOST_AUTO_TEST_CASE(several_in_a_row) { fail_each(errc::unavailable, failing_store::way::refused, 4); }
BOOST_AUTO_TEST_CASE(answer_lost) { fail_each(errc::outcome_unknown, failing_store::way::answer_lost); }
BOOST_AUTO_TEST_CASE(several_answers_lost) { fail_each(errc::outcome_unknown, failing_store::way::answer_lost, 3); }

BOOST_AUTO_TEST_SUITE_END()
