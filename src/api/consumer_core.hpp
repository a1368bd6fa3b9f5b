#pragma once

#include <memory>
#include <minibatch/options.hpp>
#include <minibatch/strategy.hpp>

#include "api/stream_core.hpp"
#include "runtime/group_member.hpp"

namespace minibatch::detail {

/// The state shared by the copies of a consumer handle. Destroying it stops the group member.
class consumer_core {
  public:
    consumer_core(std::shared_ptr<database_core> owner, std::shared_ptr<runtime::group_member> joined)
        : db(std::move(owner)), member(std::move(joined)) {}
    ~consumer_core() {
        if (!db->guard().forked()) member->stop(drain::release);
    }
    consumer_core(consumer_core const&) = delete;
    consumer_core& operator=(consumer_core const&) = delete;

    /// Checks the options, registers the group in all partitions, and starts the group member. Blocks.
    static std::shared_ptr<consumer_core> join(std::shared_ptr<stream_core> const& stream, strategy const& how,
                                               consumer_options const& options, store::store& database,
                                               store::steady_time deadline);

    std::shared_ptr<database_core> const db;
    std::shared_ptr<runtime::group_member> const member;
};

/// A delivered window. Destroying it uncommitted returns the window.
class open_window {
  public:
    open_window(std::shared_ptr<database_core> owner, runtime::window_ptr delivered)
        : db(std::move(owner)), record(std::move(delivered)), attempt(record->attempt), delivery(record->delivery) {}
    ~open_window();
    open_window(open_window const&) = delete;
    open_window& operator=(open_window const&) = delete;

    std::shared_ptr<database_core> const db;
    runtime::window_ptr const record;
    int const attempt;
    int const delivery;

    boost::json::array const& data();
    boost::json::array decode(boost::json::storage_ptr storage);
    std::vector<message> const& messages();

  private:
    bool looked_at_ = false;
    std::optional<boost::json::array> data_;
    std::optional<std::vector<message>> messages_;
};

}  // namespace minibatch::detail
