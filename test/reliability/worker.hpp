#pragma once

#include <boost/asio/awaitable.hpp>
#include <map>
#include <minibatch.hpp>
#include <string>

#include "reliability/records.hpp"

namespace minibatch::test {

namespace asio = boost::asio;

/// What a worker process was started with: `reliability_worker ROLE DATABASE REPORT RUN [NAME=VALUE …]`. The
/// database is a file of SQLite, or the URL of another one.
struct job {
    std::string role;
    std::string database;
    std::string report_path;
    int run = 0;  ///< tells one start of a process from all others
    std::map<std::string, std::string> values;

    std::string text(std::string const& name, std::string const& otherwise) const;
    std::int64_t number(std::string const& name, std::int64_t otherwise) const;
};

/// Opens the stream that all workers share.
asio::awaitable<stream> open_numbers(job const& given);

/// Appends the numbers of a call in the way of `mode`: single, range, or buffered (a `producer`, then `flush`). Says
/// "appending" before and "appended" only after the acknowledgement.
asio::awaitable<position> append_numbers(stream to, report const& out, std::string mode, int producer,
                                         std::int64_t first, std::int64_t last);

/// Appends until SIGTERM, going on after the last number that an earlier run has tried.
/// Values: producer, mode, partitions.
asio::awaitable<void> produce(job const& given);

/// Takes windows and commits them until SIGTERM. Values: strategy (count:N, relaxed:MS, fixed:MS), in_flight, keep,
/// lease, partitions; `hold=1` commits each window only at SIGUSR1; `drain=1` ends when nothing is left, and appends
/// something to each partition before, so that there is a window to begin with.
asio::awaitable<void> consume(job const& given);

}  // namespace minibatch::test
