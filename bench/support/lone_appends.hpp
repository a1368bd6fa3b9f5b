#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace bench {

/// From the end of a lone append to stream "readings" to the arrival of its window of one: `count` times, 3 ms apart.
/// Prints a row with the median in milliseconds, which is to be at most `most`.
void lone_appends_in_one(std::string const& claim, std::string const& url, std::int64_t count, double most);

/// The same with the appends made by another process: this program again, which has to call `append_in_child`.
void lone_appends_between_two(std::string const& claim, std::string const& url, std::int64_t count, double most);
/// `arguments`: those in `options::child`.
void append_in_child(std::vector<std::string> const& arguments);

}  // namespace bench
