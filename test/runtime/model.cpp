#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <random>

#include "runtime/back_off.hpp"
#include "support/ledger.hpp"
#include "support/rig.hpp"

using namespace std::chrono_literals;
using namespace minibatch;
using namespace minibatch::test;

BOOST_AUTO_TEST_SUITE(model)

namespace {

/// Random events on the runtime. Up to two consumers of one group compete, on handles of their own; the store of each
/// fails now and then. A ledger knows what must be true of the outcomes.
class simulation {
  public:
    simulation(strategy how, std::int64_t exact, int in_flight, std::uint32_t seed, rig::place at)
        : world_(at), how_(std::move(how)), exact_(exact), in_flight_(in_flight), random_(seed) {
        runtime::seed_back_off(seed);
        members_.push_back({world_.elsewhere_faulty(), {}, {}, {}, {}, {}});
        members_.push_back({world_.elsewhere_faulty(), {}, {}, {}, {}, {}});
    }

    void run(int events) {
        for (int i = 0; i < events; ++i) {
            event();
            world_.settle();
            collect();
        }
        drain();
    }

  private:
    struct held {
        window what;
        std::optional<started<void>> commit;
        std::optional<started<void>> failure;
    };
    struct member {
        std::pair<stream, std::shared_ptr<failing_store>> source;
        std::optional<consumer> own;
        std::optional<next> asked;
        std::vector<std::unique_ptr<held>> windows;
        std::optional<started<consumer>> joining;
        std::optional<drain> stopped;
    };
    struct pending_append {
        std::vector<std::int64_t> values;
        started<position> done;
    };
    struct faulty_world : rig {
        using rig::rig;
        std::pair<stream, std::shared_ptr<failing_store>> elsewhere_faulty() {
            auto const content = memory(name);
            auto const used = remote ? std::make_shared<remote_store>(content) : content;
            auto const own = std::make_shared<failing_store>(used);
            auto const other = open(own);
            return {finish(other.find_stream("readings")), own};
        }
    };

    int pick(int from, int to) { return std::uniform_int_distribution(from, to)(random_); }
    member& any_member() { return members_[static_cast<std::size_t>(pick(0, 1))]; }

    void event() {
        auto& who = any_member();
        switch (pick(0, 15)) {
            case 0:
            case 1:
            case 2:
                return append(who);
            case 3:
                if (!appends_.empty()) appends_[static_cast<std::size_t>(pick(0, 99)) % appends_.size()].done.cancel();
                return;
            case 4:
                return world_.advance(milliseconds(pick(0, 150)));
            case 5:
                if (pick(0, 3) == 0) world_.advance(milliseconds(pick(1000, 3000)));
                return;
            case 6:
            case 7:
            case 8:
                if (who.own && !who.asked) who.asked = world_.start(who.own->next_window());
                return;
            case 9:
                if (who.asked) who.asked->cancel();
                return;
            case 10:
            case 11:
                return commit(who);
            case 12:
                return let_go(who);
            case 13:
                return fault(who);
            case 14:
                return join_or_stop(who);
            default:
                for (int steps = pick(0, 6); steps > 0; --steps) world_.step();
        }
    }

    void append(member& through) {
        std::vector<std::int64_t> fresh;
        std::vector<boost::json::value> documents;
        for (int count = pick(1, 4); count > 0; --count) {
            fresh.push_back(book_.fresh());
            documents.push_back(reading(fresh.back()));
        }
        appends_.push_back({fresh, world_.start(through.source.first.append(documents))});
        if (pick(0, 3) > 0) return;
        for (int steps = pick(0, 4); steps > 0; --steps) world_.step();
        appends_.back().done.cancel();
    }
    held* any_window(member& of) {
        std::vector<held*> free;
        for (auto const& each : of.windows)
            if (!each->commit && !each->failure) free.push_back(each.get());
        return free.empty() ? nullptr : free[static_cast<std::size_t>(pick(0, 99)) % free.size()];
    }
    void commit(member& who) {
        auto* const chosen = any_window(who);
        if (!chosen) return;
        chosen->commit = world_.start(chosen->what.commit());
        if (pick(0, 3) > 0) return;
        for (int steps = pick(0, 6); steps > 0; --steps) world_.step();
        chosen->commit->cancel();
    }
    void let_go(member& who) {
        auto* const chosen = any_window(who);
        if (!chosen) return;
        if (pick(0, 1) == 0) {
            std::erase_if(who.windows, [&](auto const& each) { return each.get() == chosen; });
        } else {
            chosen->failure = world_.start(chosen->what.fail("on purpose", milliseconds(pick(0, 300))));
        }
    }
    void fault(member& who) {
        auto& store = *who.source.second;
        switch (pick(0, 4)) {
            case 0:
                return store.fail_call(pick(1, 5), errc::outcome_unknown, failing_store::way::answer_lost, pick(1, 3));
            case 1:
                return store.fail_call(pick(1, 5), errc::unavailable, failing_store::way::refused, pick(1, 20));
            case 2:  // away for longer than the lease
                if (pick(0, 2) == 0) store.fail_all(errc::unavailable);
                return;
            case 3:
                store.during_write = [this, hang = milliseconds(pick(0, 2500))] { world_.advance(hang); };
                return;
            default:
                return store.heal();
        }
    }
    void join_or_stop(member& who) {
        if (!who.own) {
            if (!who.joining)
                who.joining = world_.start(who.source.first.consume(how_, {.max_in_flight = in_flight_, .lease = 1s}));
            return;
        }
        switch (pick(0, 3)) {
            case 0:
                who.own->stop(drain::flush);
                who.stopped = drain::flush;
                return;
            case 1:
                who.own->stop();
                who.stopped = drain::release;
                return;
            case 2:
                who.own.reset();
                who.stopped.reset();
                return;
            default:
                return;
        }
    }

    /// Notes what has come to an end.
    void collect() {
        for (auto& who : members_) {
            if (who.joining && who.joining->done()) {
                if (who.joining->ok()) who.own = std::move(who.joining->value());
                who.stopped.reset();
                who.joining.reset();
            }
            if (who.asked && who.asked->done()) {
                if (who.asked->ok()) {
                    if (auto& got = who.asked->value())
                        receive(who, std::move(*got));
                    else
                        who.own.reset();
                } else {
                    auto const code = who.asked->code();
                    BOOST_CHECK_MESSAGE(code == asio::error::operation_aborted || injected(code), who.asked->what());
                }
                who.asked.reset();
            }
            std::erase_if(who.windows, [&](auto const& each) {
                if (each->failure && each->failure->done()) return true;
                if (!each->commit || !each->commit->done()) return false;
                auto const code = each->commit->code();
                if (each->commit->ok()) {
                    book_.committed(each->what);
                } else if (code == errc::outcome_unknown) {
                    book_.commit_in_doubt(each->what);
                } else {
                    auto const expected = code == errc::fenced || injected(code);
                    BOOST_CHECK_MESSAGE(expected, each->commit->what());
                    if (injected(code) && pick(0, 1) == 0) {
                        each->commit.reset();  // to be called again
                        return false;
                    }
                }
                return true;
            });
        }
        std::erase_if(appends_, [&](auto const& each) {
            if (!each.done.done()) return false;
            auto const code = each.done.code();
            if (each.done.ok())
                book_.appended(each.done.value().offset, each.values);
            else if (code == errc::outcome_unknown)
                book_.in_doubt(each.values);
            else
                BOOST_CHECK_MESSAGE(code == asio::error::operation_aborted || injected(code), each.done.what());
            return true;
        });
    }
    static bool injected(error_code code) { return code == errc::unavailable || code == errc::outcome_unknown; }

    void receive(member& who, window got) {
        if (exact_ > 0 && got.reason() == window_reason::count)
            BOOST_CHECK_EQUAL(static_cast<std::int64_t>(got.size()), exact_);
        if (pick(0, 5) == 0) return;  // dropped unseen, as by the loser of a race
        if (!got.empty()) static_cast<void>(got.data());
        who.windows.push_back(std::make_unique<held>(held{std::move(got), {}, {}}));
    }

    void drain() {
        for (auto& who : members_) {
            who.source.second->heal();
            who.source.second->during_write = nullptr;
            if (who.asked) who.asked->cancel();
        }
        world_.advance(40s);  // longer than any back-off: what is under way ends
        collect();
        for (auto& who : members_) who = {who.source, {}, {}, {}, {}, {}};
        world_.advance(5s);
        auto last = world_.finish(world_.readings.consume(count_window(1)));
        for (;;) {
            auto const info = world_.finish(world_.readings.info());
            if (info.groups.at(0).lag == 0) break;
            auto got = world_.finish(last.next_window());
            world_.finish(got->commit());
            book_.committed(*got);
        }
        BOOST_TEST(appends_.empty());
        book_.check(world_.stored());
    }

    faulty_world world_;
    strategy const how_;
    std::int64_t const exact_;
    int const in_flight_;
    std::mt19937 random_;
    std::vector<member> members_;
    std::vector<pending_append> appends_;
    ledger book_{in_flight_ == 1};
};

/// MINIBATCH_TEST_SEED chooses one seed, MINIBATCH_TEST_SEEDS how many.
void simulate(strategy const& how, std::int64_t exact = 0, int in_flight = 1) {
    auto const number = [](char const* variable, unsigned otherwise) {
        auto const* const text = std::getenv(variable);
        return text ? static_cast<std::uint32_t>(std::stoul(text)) : otherwise;
    };
    auto const first = number("MINIBATCH_TEST_SEED", 1);
    auto const count = number("MINIBATCH_TEST_SEEDS", std::getenv("MINIBATCH_TEST_SEED") ? 1 : 25);
    for (auto seed = first; seed < first + count; ++seed) {
        for (auto const at : {rig::place::here, rig::place::far}) {
            BOOST_TEST_CONTEXT("MINIBATCH_TEST_SEED=" << seed << (at == rig::place::far ? ", far" : "")) {
                simulation(how, exact, in_flight, seed, at).run(150);
            }
        }
    }
}

}  // namespace

BOOST_AUTO_TEST_CASE(count) { simulate(count_window(3), 3); }
BOOST_AUTO_TEST_CASE(several_in_flight) { simulate(count_window(2), 2, 4); }
BOOST_AUTO_TEST_CASE(count_or_age) { simulate(count_window(5) || max_age(100ms), 5); }
BOOST_AUTO_TEST_CASE(fixed) { simulate(fixed_time_window(200ms, {.emit_empty = false})); }
BOOST_AUTO_TEST_CASE(fixed_with_empty) { simulate(fixed_time_window(500ms), 0, 2); }
BOOST_AUTO_TEST_CASE(relaxed) { simulate(relaxed_time_window(200ms)); }

BOOST_AUTO_TEST_SUITE_END()
