#include "runtime/write_queue.hpp"

#include <algorithm>
#include <random>

namespace minibatch::runtime {
namespace {

std::string random_prefix() {
    std::random_device source;
    char text[32];
    std::snprintf(text, sizeof text, "%08x%08x-", source(), source());
    return text;
}

}  // namespace

write_queue::write_queue(environment const& env, tail& newest, std::size_t max_pending_bytes)
    : env_(env),
      newest_(newest),
      max_pending_bytes_(max_pending_bytes),
      one_lane_(env.database->tune().scope == store::write_scope::whole_store),
      full_segment_bytes_(env.database->tune().full_segment_bytes),
      prepares_(env.database->tune().prepares),
      batch_prefix_(random_prefix()) {}

write_queue::lane_key write_queue::lane_of_appends(store::log_id log) const {
    return one_lane_ ? lane_key{} : lane_key{lane_key::kind::log, log, {}};
}

write_queue::lane_key write_queue::lane_of(store::write_request const& request) const {
    if (one_lane_) return {};
    return std::visit(
        [](auto const& r) -> lane_key {
            using type = std::decay_t<decltype(r)>;
            if constexpr (std::is_same_v<type, store::renew_request>)
                return {};
            else if constexpr (std::is_same_v<type, store::trim_request>)
                return {lane_key::kind::trims, r.log, {}};
            else if constexpr (requires { r.log; })
                return {lane_key::kind::log, r.log, {}};
            else
                return {lane_key::kind::group, r.group.log, r.group.group};
        },
        request);
}

void write_queue::append(store::log_id log, log::segment_text documents, append_done done, ticket which) {
    std::unique_lock lock(mutex_);
    if (closed_) {
        lock.unlock();
        std::move(done)(error(errc::closed, "the database handle is closed"), 0, documents.lines());
        return;
    }
    auto const bytes = documents.size();
    waiting_append item{which, log, std::move(documents), std::move(done), env_.deadline(), bytes};
    if (!blocked_.empty() || (pending_bytes_ > 0 && pending_bytes_ + bytes > max_pending_bytes_)) {
        blocked_.push_back(std::move(item));
    } else {
        pending_bytes_ += bytes;
        auto const key = lane_of_appends(log);
        auto& target = lanes_[key];
        target.appends.push_back(std::move(item));
        target.bytes += bytes;
        start(key, target);
        prepare_next(key, target);
    }
    if (!watchdog_) watch_deadlines(env_.deadline());
}

bool write_queue::cancel(ticket which) {
    append_done dropped;  // destroyed outside the lock
    std::lock_guard const lock(mutex_);
    auto const take = [&](std::deque<waiting_append>& from, std::size_t* bytes) {
        auto const found = std::find_if(from.begin(), from.end(), [&](auto const& item) { return item.id == which; });
        if (found == from.end()) return false;
        dropped = std::move(found->done);
        if (bytes) {
            pending_bytes_ -= found->bytes;
            *bytes -= found->bytes;
        }
        from.erase(found);
        return true;
    };
    auto const taken = take(blocked_, nullptr) || std::any_of(lanes_.begin(), lanes_.end(), [&](auto& entry) {
                           return take(entry.second.appends, &entry.second.bytes);
                       });
    if (taken) admit();
    return taken;
}

void write_queue::submit(store::write_request request, write_done done) {
    std::vector<std::pair<store::write_request, write_done>> one;
    one.emplace_back(std::move(request), std::move(done));
    submit_all(std::move(one));
}

void write_queue::submit_all(std::vector<std::pair<store::write_request, write_done>>&& requests) {
    std::lock_guard const lock(mutex_);
    // All are queued before the first is started, so that they share one write.
    std::vector<std::map<lane_key, lane>::value_type*> touched;
    for (auto& [request, done] : requests) {
        auto& target = *lanes_.try_emplace(lane_of(request)).first;
        target.second.writes.push_back({std::move(request), std::move(done)});
        if (std::find(touched.begin(), touched.end(), &target) == touched.end()) touched.push_back(&target);
    }
    for (auto* const target : touched) start(target->first, target->second);
}

void write_queue::close() {
    std::lock_guard const lock(mutex_);
    closed_ = true;
}

bool write_queue::owes() const {
    std::lock_guard const lock(mutex_);
    auto const is_commit = [](waiting_write const& item) {
        return std::holds_alternative<store::commit_request>(item.request);
    };
    return !blocked_.empty() || std::any_of(lanes_.begin(), lanes_.end(), [&](auto const& entry) {
        auto const& of = entry.second;
        return !of.appends.empty() || of.preparing || of.ready || (of.writing && of.owed) ||
               std::any_of(of.writes.begin(), of.writes.end(), is_commit);
    });
}

std::size_t write_queue::lanes() const {
    std::lock_guard const lock(mutex_);
    return lanes_.size();
}

/// Queues the appends that waited for room where there is some now. Called with the mutex held.
void write_queue::admit() {
    while (!blocked_.empty() &&
           (pending_bytes_ == 0 || pending_bytes_ + blocked_.front().bytes <= max_pending_bytes_)) {
        auto const key = lane_of_appends(blocked_.front().log);
        auto& target = lanes_[key];
        pending_bytes_ += blocked_.front().bytes;
        target.bytes += blocked_.front().bytes;
        target.appends.push_back(std::move(blocked_.front()));
        blocked_.pop_front();
        start(key, target);
        prepare_next(key, target);
    }
}

void write_queue::watch_deadlines(steady_time first) {
    watchdog_ = env_.time->at(first + milliseconds(1), [weak = weak_from_this()] {
        if (auto const self = weak.lock()) self->expire();
    });
}

void write_queue::expire() {
    std::vector<waiting_append> late;
    {
        std::lock_guard const lock(mutex_);
        watchdog_.reset();
        auto const now = env_.time->now();
        auto const collect = [&](std::deque<waiting_append>& from, std::size_t* bytes) {
            for (; !from.empty() && from.front().deadline <= now; from.pop_front()) {
                if (bytes) {
                    pending_bytes_ -= from.front().bytes;
                    *bytes -= from.front().bytes;
                }
                late.push_back(std::move(from.front()));
            }
        };
        collect(blocked_, nullptr);
        for (auto& [key, entry] : lanes_) collect(entry.appends, &entry.bytes);
        admit();
        // Each queue is in the order of the deadlines.
        std::optional<steady_time> first;
        auto const look = [&](std::deque<waiting_append> const& at) {
            if (!at.empty()) first = std::min(first.value_or(at.front().deadline), at.front().deadline);
        };
        look(blocked_);
        for (auto const& [key, entry] : lanes_) look(entry.appends);
        if (first) watch_deadlines(*first);
    }
    for (auto& item : late) {
        std::move(item.done)(error(errc::timeout, "the append was not handed to the database within its time-out"), 0,
                             item.documents.lines());
    }
}

}  // namespace minibatch::runtime
