#include <minibatch/consumer.hpp>

#include "api/consumer_core.hpp"
#include "runtime/partition_worker.hpp"
#include "store/names.hpp"

namespace minibatch {
namespace detail {

std::shared_ptr<consumer_core> consumer_core::join(std::shared_ptr<stream_core> const& stream, strategy const& how,
                                                   consumer_options const& options, store::store& database,
                                                   store::steady_time deadline) {
    store::check_name("group", options.group);
    if (options.max_in_flight < 1 || options.max_in_flight > 1000) {
        throw error(errc::invalid_argument, "consumer_options::max_in_flight must be between 1 and 1000, not " +
                                                std::to_string(options.max_in_flight));
    }
    if (options.lease < milliseconds(300) || options.lease > std::chrono::hours(1)) {
        throw error(errc::invalid_argument, "consumer_options::lease must be between 300 ms and 1 hour, not " +
                                                std::to_string(options.lease.count()) + " ms");
    }
    auto const begin =
        options.start == start::earliest ? store::start_position::earliest : store::start_position::latest;
    std::vector<store::group_state> groups;
    groups.reserve(static_cast<std::size_t>(stream->record.partitions));
    for (int partition = 0; partition < stream->record.partitions; ++partition) {
        groups.push_back(database.register_group({{stream->record.incarnation, partition}, options.group.str()}, begin,
                                                 options.keep, deadline));
    }
    auto member = std::make_shared<runtime::group_member>(stream->db->engine(), stream->record, how, options);
    member->start(std::move(groups));
    return std::make_shared<consumer_core>(stream->db, std::move(member));
}

}  // namespace detail

consumer::consumer(std::shared_ptr<detail::consumer_core> core) : core_(std::move(core)) {}

void consumer::start_next(std::shared_ptr<detail::consumer_core> const& core,
                          detail::completion<std::optional<window>> done) {
    auto begun = core->db->begin(std::move(done));
    if (!begun) return;
    auto const wait = core->member->new_wait();
    auto op = std::make_shared<detail::operation<std::optional<window>>>(std::move(*begun));
    op->on_cancel(
        [weak = std::weak_ptr(core->member), guard = core->db->guard(), wait](boost::asio::cancellation_type) {
            if (auto const member = weak.lock(); member && !guard.forked()) member->cancel(wait);
        });
    core->member->next(wait, [op, db = core->db](std::optional<error> problem, runtime::window_ptr record) mutable {
        // The result owns the window. A completion that never runs returns it.
        std::optional<window> delivered;
        if (record) delivered.emplace(std::make_shared<detail::open_window>(std::move(db), std::move(record)));
        db.reset();
        op->complete(std::move(problem), std::move(delivered));
    });
}

bool consumer::request_stop(std::shared_ptr<detail::consumer_core> const& core, drain remainder) {
    if (core->db->guard().forked()) return false;
    core->member->stop(remainder);
    return true;
}

void stop_request::complete(bool taken, detail::completion<> done) {
    detail::operation<> op(std::move(done));
    if (taken)
        op.complete(std::nullopt);
    else
        op.fail(store::fork_guard::problem());
}

}  // namespace minibatch
