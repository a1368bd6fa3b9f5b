#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/json/object.hpp>
#include <chrono>
#include <minibatch.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include "support/counted_database.hpp"

/// What count windows cost in commands to the server. Used by the test of the bound and by the benchmark.
namespace minibatch::test {

struct window_commands {
    std::int64_t windows = 0;
    command_counts counts;

    /// Without the change stream's getMore. There are no renewals: the leases last longer than the measurement.
    double per_window() const {
        std::int64_t sum = 0;
        for (auto const& [name, count] : counts)
            if (name != "getMore") sum += count;
        return static_cast<double>(sum) / static_cast<double>(windows);
    }
};

/// `count` documents of about 100 bytes, numbered from `first`.
inline std::vector<boost::json::object> numbered_documents(std::int64_t first, std::int64_t count) {
    std::vector<boost::json::object> made;
    for (std::int64_t n = first; n < first + count; ++n)
        made.push_back({{"n", n},
                        {"sensor", "hall-7/thermo-0417"},
                        {"time", 1760000000000},
                        {"value", 0.25},
                        {"unit", "celsius"},
                        {"ok", true}});
    return made;
}

inline boost::asio::awaitable<consumer> consume_counted(stream from, std::string group, std::int64_t size, bool keep) {
    consumer_options how;
    how.group = name(group);
    how.keep = keep;
    how.lease = std::chrono::hours(1);
    auto const cut = count_window(size);
    co_return co_await from.consume(cut, how);
}

/// Takes and commits one window, which must hold the messages from `first`.
inline boost::asio::awaitable<void> take_window(consumer& from, std::int64_t first, std::int64_t size) {
    auto window = co_await from.next_window();
    if (!window || window->first() != first || static_cast<std::int64_t>(window->size()) != size)
        throw std::runtime_error("not the window of " + std::to_string(size) + " at offset " + std::to_string(first));
    co_await window->commit();
}

/// Stops, and gives back what was made before the stop.
inline boost::asio::awaitable<void> end_consumer(consumer& which) {
    which.stop();
    // Not as a condition alone: g++ 12 destroys the temporaries of such a loop twice.
    while (auto rest = co_await which.next_window()) rest.reset();
}

/// Another handle appends the messages of one window at a time, in segments of at most 100; the counted one takes and
/// commits the window before the next is appended. Without `keep`, segments are removed meanwhile, too.
inline boost::asio::awaitable<void> count_when_caught_up(std::string url, counted_database& counted, std::int64_t size,
                                                         std::int64_t windows, bool keep, window_commands& result) {
    constexpr std::int64_t segment = 100, before = 3;
    auto const elsewhere = co_await connect(url);
    auto const called = "caught-up-" + std::to_string(size);
    auto there = co_await stream::get_or_create(elsewhere, called);
    auto here = co_await stream::get_or_create(counted.handle(), called);
    auto from = co_await consume_counted(here, "counted", size, keep);
    result.windows = windows;
    for (std::int64_t i = 0; i < before + windows; ++i) {
        if (i == before) counted.take();
        for (std::int64_t done = 0; done < size; done += segment) {
            auto const batch = numbered_documents(i * size + done, std::min(segment, size - done));
            co_await there.append(batch);
        }
        co_await take_window(from, i * size, size);
    }
    result.counts = counted.take();
    co_await end_consumer(from);
}

/// Appends what `count_with_backlog` reads, to the stream "backlog".
inline boost::asio::awaitable<void> make_backlog(std::string url, std::int64_t count) {
    constexpr std::int64_t step = 10'000;
    auto const db = co_await connect(url);
    auto to = co_await stream::get_or_create(db, "backlog");
    auto producer = to.make_producer();
    for (std::int64_t first = 0; first < count; first += step)
        for (auto const& each : numbered_documents(first, std::min(step, count - first)))
            co_await producer.append(each);
    co_await producer.flush();
}

/// A group that is new to "backlog", and keeps it, takes and commits windows one after another.
inline boost::asio::awaitable<void> count_with_backlog(counted_database& counted, std::int64_t size,
                                                       std::int64_t windows, window_commands& result) {
    constexpr std::int64_t before = 1;
    auto here = co_await stream::get_or_create(counted.handle(), "backlog");
    auto from = co_await consume_counted(here, "windows-of-" + std::to_string(size), size, true);
    result.windows = windows;
    for (std::int64_t i = 0; i < before + windows; ++i) {
        if (i == before) counted.take();
        co_await take_window(from, i * size, size);
    }
    result.counts = counted.take();
    co_await end_consumer(from);
}

}  // namespace minibatch::test
