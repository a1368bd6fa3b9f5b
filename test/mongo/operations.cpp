#include "mongo/operations.hpp"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
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

namespace {

/// Closes handles on threads of its own.
class closer {
  public:
    closer() {
        for (int i = 0; i < 48; ++i) threads_.emplace_back([this] { run(); });
    }
    ~closer() {
        {
            std::lock_guard const lock(mutex_);
            ending_ = true;
        }
        changed_.notify_all();
        for (auto& each : threads_) each.join();
    }
    closer(closer const&) = delete;
    closer& operator=(closer const&) = delete;

    void close(store_ptr handle) {
        std::lock_guard const lock(mutex_);
        waiting_.push_back(std::move(handle));
        changed_.notify_one();
    }

  private:
    void run() {
        std::unique_lock lock(mutex_);
        for (;;) {
            changed_.wait(lock, [this] { return ending_ || !waiting_.empty(); });
            if (waiting_.empty()) return;
            auto handle = std::move(waiting_.front());
            waiting_.pop_front();
            lock.unlock();
            handle.reset();
            lock.lock();
        }
    }

    std::mutex mutex_;
    std::condition_variable changed_;
    bool ending_ = false;
    std::deque<store_ptr> waiting_;
    std::vector<std::thread> threads_;
};

closer& the_closer() {
    static closer one;
    return one;
}

}  // namespace

scene::~scene() {
    for (auto* each : {&faulty, &direct})
        if (*each) the_closer().close(std::move(*each));
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
