#pragma once

#include <compare>
#include <string>

#include "store/store.hpp"

namespace minibatch::runtime {

/// Identifies writes that wait for one another, by the store's `write_scope`. With `whole_store` all writes have the
/// common key; with `log` the renewals of all leases have it.
struct lane_key {
    enum class kind { common, log, group, trims };
    kind what = kind::common;
    store::log_id log{};
    std::string group;

    friend auto operator<=>(lane_key const&, lane_key const&) = default;
};

lane_key lane_of_append(store::write_scope scope, store::log_id log);
lane_key lane_of(store::write_scope scope, store::write_request const& request);

}  // namespace minibatch::runtime
