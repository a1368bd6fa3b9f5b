#pragma once

#include <atomic>
#include <boost/json/array.hpp>
#include <memory>
#include <minibatch/error.hpp>
#include <optional>
#include <string>
#include <vector>

#include "runtime/operation.hpp"
#include "runtime/scheduler.hpp"
#include "windowing/cut.hpp"

namespace minibatch::runtime {

class partition_worker;

/// One window from its making to its commit. What is const may be read from any thread; the rest belongs to the loop.
struct window_record {
    window_record(std::string own_id, std::string of_stream, int of_partition, windowing::cut messages,
                  std::weak_ptr<partition_worker> made_by, std::int64_t tracker_handle,
                  std::shared_ptr<boost::json::array const> content)
        : id(std::move(own_id)),
          stream(std::move(of_stream)),
          partition(of_partition),
          cut(std::move(messages)),
          worker(std::move(made_by)),
          handle(tracker_handle),
          made(std::move(content)) {}

    /// A save that covered its commit has ended.
    void save_ended(std::optional<error> const& problem) noexcept;
    /// Tells those who wait for a commit how it ended.
    void tell_committers(std::optional<error> const& problem);

    std::string const id;
    std::string const stream;
    int const partition;
    windowing::cut const cut;
    std::weak_ptr<partition_worker> const worker;
    std::int64_t const handle;  // in the worker's progress tracker
    /// What a custom emitter makes of the messages; null: their documents.
    std::shared_ptr<boost::json::array const> const made;
    int attempt = 1;  // set before each delivery, constant while delivered

    enum class state {
        ready,       // waits for somebody to take it
        delivered,   // a caller holds it
        committing,  // a commit is on its way to the store
        abandoned,   // the same, and no caller holds it any more
        waiting,     // for its redelivery
        closed,      // committed, or its lease is lost
    };
    state now = state::ready;
    std::atomic<bool> settled = false;  // closed, for whoever lets go of it elsewhere
    int delivery = 0;                   // counts deliveries: what the holder of an earlier one does has no effect
    bool committed = false;
    bool sent = false;         // its commit is in the save that is under way
    bool in_doubt = false;     // an earlier save may have committed it
    steady_time not_before{};  // of the redelivery
    std::vector<detail::callback<>> committers;
};

using window_ptr = std::shared_ptr<window_record>;

}  // namespace minibatch::runtime
