#pragma once

#include <functional>
#include <string>
#include <vector>

#include "mongo/support.hpp"

namespace minibatch::test {

/// What an operation is tried on: a database with the streams "s" (five messages in three records, the group "g" with a
/// lease) and "target". No Boost.Test in here: scenes are played on several threads.
struct scene {
    /// Sets the database up, over a connection without faults.
    explicit scene(std::string direct_url);

    std::string faulty_url;  ///< to be set before the operation
    store_ptr faulty;        ///< opened on it, for all operations but "connect"
    store_ptr direct;
    log_id log;
    log_id target;
    group_id group;
    acquire_result held;
};

/// Messages that a scene begins with.
inline constexpr std::int64_t scene_messages = 5;

struct operation {
    std::string name;
    /// One of these is in the sentence of a failure.
    std::vector<std::string> words;
    /// Carries it out, by `scene::faulty`. May be repeated after a failure.
    std::function<void(scene&, steady_time)> act;
    /// What is wrong after it has succeeded; or after it has failed, when it may have been done, but in whole and once.
    /// Empty: nothing.
    std::function<std::string(scene&, bool succeeded)> wrong;
    /// The failure `unavailable` promises that nothing was done.
    bool unavailable_is_undone = false;
    /// `wrong` of a failure, but for operations that were not done at all.
    std::function<bool(scene&)> is_done = {};
    /// Names of the commands that it sends at least once each.
    std::vector<std::string> commands = {};

    /// Whether it sends a command that changes something: only then does the driver's own repetition of writes matter.
    bool writes() const;
};

/// All operations of the store but the change stream.
std::vector<operation> const& all_operations();

/// Plays on several threads, in order. Each returns what is wrong, which is reported at the end.
void play(std::vector<std::function<std::string()>> const& all, std::size_t threads);

}  // namespace minibatch::test
