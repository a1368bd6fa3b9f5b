#include "runtime/write_queue.hpp"

#include <algorithm>
#include <boost/asio/defer.hpp>
#include <boost/asio/post.hpp>

namespace minibatch::runtime {

write_queue::write_queue(environment const& env, tail& newest, std::size_t max_pending_bytes)
    : env_(env),
      newest_(newest),
      tuning_(env.database->tune()),
      budget_(max_pending_bytes),
      // Of several lanes each would need a worker that waits; and a round trip is long beside the time it takes to
      // wake.
      next_arrival_(tuning_.scope == store::write_scope::whole_store ? env.stay_awake : std::chrono::microseconds(0)) {}

void write_queue::append(store::log_id log, log::segment_text documents, append_done done, ticket which) {
    std::unique_lock lock(mutex_);
    if (closed_) {
        lock.unlock();
        std::move(done)(error(errc::closed, "the database handle is closed"), 0, documents.lines());
        return;
    }
    auto const bytes = documents.size();
    auto const deadline = env_.deadline();
    if (auto admitted = budget_.admit({which, log, std::move(documents), std::move(done), deadline, bytes}))
        enqueue(std::move(*admitted));
    if (!deadlines_) {
        deadlines_.emplace(env_.time, [weak = weak_from_this()] {
            if (auto const self = weak.lock()) self->fail_expired();
        });
    }
    deadlines_->arm(deadline);
}

bool write_queue::cancel(ticket which) {
    std::optional<queued_append> dropped;  // destroyed outside the lock
    std::lock_guard const lock(mutex_);
    dropped = take_back(which);
    if (dropped) admit_waiting();
    return dropped.has_value();
}

std::optional<queued_append> write_queue::take_back(ticket which) {
    if (auto found = budget_.waiting().cancel(which)) return found;
    for (auto& [key, of] : lanes_) {
        if (auto found = of.appends().cancel(which)) {
            budget_.release(found->bytes);
            return found;
        }
    }
    return std::nullopt;
}

void write_queue::submit(store::write_request request, write_done done) {
    std::vector<std::pair<store::write_request, write_done>> one;
    one.emplace_back(std::move(request), std::move(done));
    submit_all(std::move(one));
}

void write_queue::submit_all(std::vector<std::pair<store::write_request, write_done>>&& requests) {
    std::lock_guard const lock(mutex_);
    std::vector<lane_key> touched;
    for (auto& [request, done] : requests) {
        auto key = lane_of(tuning_.scope, request);
        lane(key).push(queued_write{std::move(request), std::move(done)});
        if (std::ranges::find(touched, key) == touched.end()) touched.push_back(std::move(key));
    }
    for (auto const& key : touched) run(key, lane(key));
}

void write_queue::close() {
    std::lock_guard const lock(mutex_);
    closed_ = true;
}

bool write_queue::owes() const {
    std::lock_guard const lock(mutex_);
    return !budget_.waiting().empty() ||
           std::ranges::any_of(lanes_, [](auto const& entry) { return entry.second.holds_data(); });
}

std::size_t write_queue::lanes() const {
    std::lock_guard const lock(mutex_);
    return lanes_.size();
}

// The following up to `write_next` are called with the mutex held.

write_lane& write_queue::lane(lane_key const& key) {
    batch_limits const limits{.full_segment_bytes = tuning_.full_segment_bytes, .one_segment = tuning_.prepares};
    return lanes_.try_emplace(key, limits, tuning_.prepares).first->second;
}

void write_queue::enqueue(queued_append&& item) {
    auto const key = lane_of_append(tuning_.scope, item.log);
    auto& target = lane(key);
    target.push(std::move(item));
    run(key, target);
}

void write_queue::admit_waiting() {
    while (auto admitted = budget_.admit_next()) enqueue(std::move(*admitted));
}

/// Starts what the lane has to do now that something was queued in it.
void write_queue::run(lane_key const& key, write_lane& of) {
    next_arrival_.arrived(std::chrono::steady_clock::now());
    if (of.start()) asio::post(env_.workers, [self = shared_from_this(), key] { self->write_next(key); });
    prepare_ahead(key, of);
}

/// While one segment is written, the next full one is prepared.
void write_queue::prepare_ahead(lane_key const& key, write_lane& of) {
    if (of.start_preparing()) asio::post(env_.workers, [self = shared_from_this(), key] { self->prepare_next(key); });
}

/// The common lane, which may be the only one, is kept for the next write. Of the others there may be ever new ones.
void write_queue::forget_if_at_rest(lane_map::iterator of) {
    if (of->second.at_rest() && of->first.what != lane_key::kind::common) lanes_.erase(of);
}

void write_queue::write_next(lane_key const& key) {
    std::shared_ptr<write_batch> batch;
    {
        std::lock_guard const lock(mutex_);
        auto const of = lanes_.find(key);
        batch = of->second.next();
        if (!batch) return forget_if_at_rest(of);
        prepare_ahead(key, of->second);
    }
    if (!batch->joined()) batch->join(tuning_.full_segment_bytes, names_);
    batch->write(*env_.database, env_.deadline());
    batch->complete(*env_.database, newest_);
    if (maintenance_due_ && env_.database->maintenance_due()) maintenance_due_();
    {
        std::lock_guard const lock(mutex_);
        budget_.release(batch->bytes());
        admit_waiting();
    }
    // A new task for the next batch, so that reads waiting for a worker get their turn. It is for this worker: no other
    // one need be woken.
    if (more_to_write(key)) asio::defer(env_.workers, [self = shared_from_this(), key] { self->write_next(key); });
}

/// Called when a batch was written. False: nothing is left to do in this lane.
bool write_queue::more_to_write(lane_key const& key) {
    std::unique_lock lock(mutex_);
    auto const of = lanes_.find(key);
    auto const stays = next_arrival_.worthwhile();
    auto more = of->second.written(stays);
    if (!more && stays) {
        auto const seen = next_arrival_.count();
        lock.unlock();
        next_arrival_.wait(seen);
        lock.lock();
        more = of->second.written();
    }
    if (!more) {
        next_arrival_.sleeps(std::chrono::steady_clock::now());
        forget_if_at_rest(of);
    }
    return more;
}

void write_queue::prepare_next(lane_key const& key) {
    std::shared_ptr<write_batch> batch;
    {
        std::lock_guard const lock(mutex_);
        batch = lanes_.find(key)->second.take_to_prepare();
    }
    if (batch) {
        batch->join(tuning_.full_segment_bytes, names_);
        batch->prepare(*env_.database);
    }
    {
        std::lock_guard const lock(mutex_);
        auto const of = lanes_.find(key);
        if (!of->second.prepared(std::move(batch))) return forget_if_at_rest(of);
    }
    write_next(key);
}

void write_queue::fail_expired() {
    std::vector<queued_append> late;
    {
        std::lock_guard const lock(mutex_);
        deadlines_->disarm();
        auto const now = env_.time->now();
        budget_.waiting().expire(now, late);
        for (auto& [key, of] : lanes_) budget_.release(of.appends().expire(now, late));
        admit_waiting();
        auto first = budget_.waiting().first_deadline();
        for (auto const& [key, of] : lanes_) {
            if (auto const next = of.appends().first_deadline()) first = std::min(first.value_or(*next), *next);
        }
        if (first) deadlines_->arm(*first);
    }
    for (auto& item : late) {
        std::move(item.done)(error(errc::timeout, "the append was not handed to the database within its time-out"), 0,
                             item.documents.lines());
    }
}

}  // namespace minibatch::runtime
