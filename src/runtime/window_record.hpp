#pragma once

#include <boost/json/array.hpp>
#include <memory>
#include <string>
#include <vector>

#include "runtime/operation.hpp"
#include "runtime/scheduler.hpp"
#include "windowing/cut.hpp"

namespace minibatch::runtime {

class partition_worker;

/// One window from its making to its commit. What is const may be read from any thread; the rest belongs to the loop.
struct window_record {
    std::string const id;
    std::string const stream;
    int const partition;
    windowing::cut const cut;
    std::weak_ptr<partition_worker> const worker;
    std::int64_t const handle;  // in the worker's progress tracker
    /// What a custom emitter makes of the messages; null: their documents.
    std::shared_ptr<boost::json::array const> const made;
    int attempt = 1;            // set before each delivery, constant while delivered

    enum class state {
        ready,       // waits for somebody to take it
        delivered,   // a caller holds it
        committing,  // a commit is on its way to the store
        abandoned,   // the same, and no caller holds it any more
        waiting,     // for its redelivery
        closed,      // committed, or its lease is lost
    };
    state now = state::ready;
    bool committed = false;
    steady_time not_before{};  // of the redelivery
    std::vector<detail::completion<>> committers;
};

using window_ptr = std::shared_ptr<window_record>;

}  // namespace minibatch::runtime
