#include <minibatch/window.hpp>

#include "api/consumer_core.hpp"
#include "document/decode.hpp"
#include "runtime/partition_worker.hpp"

namespace minibatch {
namespace detail {

open_window::~open_window() {
    if (db->guard().forked() || record->settled) return;
    try {
        asio::post(db->env().loop, [record = record, delivery = delivery, looked_at = looked_at_] {
            if (auto const worker = record->worker.lock()) worker->returned(record, delivery, looked_at);
        });
    } catch (std::exception const&) {
        // Without memory for that, the window is delivered again when the lease changes hands.
    }
}

boost::json::array const& open_window::data() {
    looked_at_ = true;
    if (record->made) return *record->made;
    if (!data_) data_.emplace(decode({}));
    return *data_;
}

boost::json::array open_window::decode(boost::json::storage_ptr storage) {
    looked_at_ = true;
    if (record->made) return boost::json::array(*record->made, std::move(storage));
    std::vector<std::string_view> pieces;
    pieces.reserve(record->cut.slices.size());
    for (auto const& slice : record->cut.slices) pieces.push_back(slice.segment->documents(slice.begin, slice.end));
    return document::decode_all(pieces, static_cast<std::size_t>(record->cut.count()), std::move(storage));
}

std::vector<message> const& open_window::messages() {
    looked_at_ = true;
    if (!messages_) messages_ = windowing::messages_of(record->cut, record->partition);
    return *messages_;
}

}  // namespace detail

window::window(std::shared_ptr<detail::open_window> state) : state_(std::move(state)) {}
window::~window() = default;
window& window::operator=(window&& other) noexcept = default;

std::string const& window::id() const { return state_->record->id; }
std::string const& window::stream() const { return state_->record->stream; }
int window::partition() const { return state_->record->partition; }
std::optional<std::int64_t> window::first() const {
    return empty() ? std::nullopt : std::optional(state_->record->cut.first);
}
std::optional<std::int64_t> window::last() const {
    return empty() ? std::nullopt : std::optional(state_->record->cut.last);
}
std::size_t window::size() const { return static_cast<std::size_t>(state_->record->cut.count()); }
time_point window::start() const { return time_point(std::chrono::milliseconds(state_->record->cut.start)); }
time_point window::end() const { return time_point(std::chrono::milliseconds(state_->record->cut.end)); }
window_reason window::reason() const { return state_->record->cut.reason; }
int window::attempt() const { return state_->attempt; }
boost::json::array const& window::data() const { return state_->data(); }
boost::json::array window::decode(boost::json::storage_ptr storage) const { return state_->decode(std::move(storage)); }
std::vector<message> const& window::messages() const { return state_->messages(); }

void window::start_commit(std::shared_ptr<detail::open_window> const& state, detail::completion<> done) {
    auto begun = state->db->begin(std::move(done));
    if (!begun) return;
    auto cancel = [id = state->record->id](detail::shared_operation<>& of, boost::asio::cancellation_type type) {
        if (detail::may_leave_open(type) && of.claim())
            of.done.fail(
                error(errc::outcome_unknown, "the commit of window " + id + " was cancelled while it was on its way"));
    };
    auto const op = detail::share(std::move(*begun), std::move(cancel));
    // The task holds the record only, so that the last handle is destroyed by the caller and not by the task.
    boost::asio::post(state->db->env().loop, [record = state->record, delivery = state->delivery, op] {
        auto answer = [op](std::optional<error> problem) {
            if (op->claim()) op->done.complete(std::move(problem));
        };
        if (auto const worker = record->worker.lock())
            worker->commit(record, delivery, std::move(answer));
        else
            answer(error(record->committed ? errc::window_closed : errc::fenced,
                         "window " + record->id + " was not committed: its consumer has ended"));
    });
}

void window::start_fail(std::shared_ptr<detail::open_window> const& state, std::string reason,
                        std::optional<std::chrono::milliseconds> delay, detail::completion<> done) {
    auto begun = state->db->begin(std::move(done));
    if (!begun) return;
    auto cancel = [id = state->record->id](detail::shared_operation<>& of, boost::asio::cancellation_type type) {
        if (detail::may_leave_open(type) && of.claim())
            of.done.fail(error(errc::outcome_unknown, "giving window " + id + " back was cancelled on its way"));
    };
    auto const op = detail::share(std::move(*begun), std::move(cancel));
    boost::asio::post(state->db->env().loop, [record = state->record, delivery = state->delivery, op,
                                              reason = std::move(reason), delay] {
        auto answer = [op](std::optional<error> problem) {
            if (op->claim()) op->done.complete(std::move(problem));
        };
        if (auto const worker = record->worker.lock())
            worker->fail(record, delivery, reason, delay, std::move(answer));
        else
            answer(error(errc::fenced, "window " + record->id + " cannot be given back: its consumer has ended"));
    });
}

}  // namespace minibatch
