#pragma once

#include <cstdint>
#include <string>

namespace bench {

/// When a producer began and ended, in nanoseconds of the clock that all processes share.
struct span_of_time {
    std::int64_t begin = 0;
    std::int64_t end = 0;

    double seconds() const { return static_cast<double>(end - begin) / 1e9; }
};

/// Appends the documents with the numbers from `first` to the stream "readings" through a buffered producer, on a
/// handle of its own and not before `start` (nanoseconds of the steady clock), and waits until all are durable.
span_of_time produce(std::string const& url, std::int64_t first, std::int64_t count, std::int64_t start = 0);

/// Documents a second of one producer that appends the numbers 0 … count-1.
double producer_rate(std::string const& url, std::int64_t count);

}  // namespace bench
