#pragma once

#include "runtime/coroutine.hpp"
#include "runtime/engine.hpp"
#include "runtime/group_member.hpp"

namespace minibatch::runtime {

/// What the parts of a partition worker work with. All of it outlives them.
struct partition_context {
    group_member& member;
    engine& runtime;
    environment const& env;
    store::tuning const& tuning;
    store::group_id const& group;
    wait_budget& budget;
    /// Wakes the worker's coroutine: something is to be looked at.
    wake_signal& wake;

    /// A warning that names the group, the stream and the partition.
    void warn(std::string const& what) const {
        env.say(log_level::warning, "group '" + group.group + "' of stream '" + member.stream.name + "', partition " +
                                        std::to_string(group.log.partition) + ": " + what);
    }
};

}  // namespace minibatch::runtime
