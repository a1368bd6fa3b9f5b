#include "runtime/group_member.hpp"

#include <algorithm>

#include "runtime/partition_worker.hpp"

namespace minibatch::runtime {

group_member::group_member(std::shared_ptr<engine> engine_of_handle, store::stream_record record, strategy windows,
                           consumer_options given)
    : runtime(std::move(engine_of_handle)), stream(std::move(record)), how(std::move(windows)), options(given) {}

void group_member::start(std::vector<store::group_state> groups) {
    // Counted here already: a handle that is closed at once must wait for them.
    runtime->active += static_cast<int>(groups.size());
    asio::post(runtime->env.loop, [self = shared_from_this(), groups = std::move(groups)] {
        self->started_ = true;
        for (auto const& group : groups) {
            auto worker = std::make_shared<partition_worker>(self, group.id);
            self->workers_.push_back(worker);
            ++self->running_;
            worker->start();
        }
        self->pump();
    });
}

void group_member::next(std::uint64_t wait, window_done done) {
    asio::post(runtime->env.loop, [self = shared_from_this(), wait, done = std::move(done)]() mutable {
        self->waiters_.push_back({wait, std::move(done)});
        self->pump();
    });
}

void group_member::cancel(std::uint64_t wait) {
    asio::post(runtime->env.loop, [self = shared_from_this(), wait] {
        auto& waiters = self->waiters_;
        auto const found =
            std::find_if(waiters.begin(), waiters.end(), [&](auto const& entry) { return entry.id == wait; });
        if (found == waiters.end()) return;
        auto done = std::move(found->done);
        waiters.erase(found);
        std::move(done)(error(error_code(asio::error::operation_aborted)), nullptr);
    });
}

void group_member::stop(drain remainder) {
    asio::post(runtime->env.loop, [self = shared_from_this(), remainder] {
        // Letting go of the consumer ends a flush that nobody takes the windows of.
        if (!self->stopping || remainder == drain::release) self->stopping = remainder;
        for (auto const& worker : self->workers_) worker->stop();
        self->pump();
    });
}

void group_member::offer(window_ptr window, bool first) {
    auto at = ready_.end();
    if (first) {  // but behind those of its partition that come before it
        at = std::find_if(ready_.rbegin(), ready_.rend(), [&](auto const& other) {
                 return other->partition == window->partition && other->handle < window->handle;
             }).base();
    }
    ready_.insert(at, std::move(window));
    pump();
}

void group_member::withdraw(partition_worker const& worker) {
    std::erase_if(ready_, [&](auto const& window) { return window->worker.lock().get() == &worker; });
}

void group_member::pump() {
    for (auto at = ready_.begin(); at != ready_.end() && !waiters_.empty();) {
        auto const worker = (*at)->worker.lock();
        if (!worker || !worker->may_deliver()) {
            ++at;
            continue;
        }
        auto window = std::move(*at);
        at = ready_.erase(at);
        auto done = std::move(waiters_.front().done);
        waiters_.pop_front();
        window->now = window_record::state::delivered;
        window->attempt = worker->attempt(*window);
        ++window->delivery;
        std::move(done)(std::nullopt, std::move(window));
    }
    if (waiters_.empty()) return;
    if (lasting_) {
        report(*lasting_, true);
    } else if (started_ && running_ == 0) {
        for (auto& entry : std::exchange(waiters_, {})) std::move(entry.done)(std::nullopt, nullptr);
    }
}

void group_member::report(error const& problem, bool lasting) {
    if (lasting) lasting_ = problem;
    for (auto& entry : std::exchange(waiters_, {})) std::move(entry.done)(problem, nullptr);
}

void group_member::finished(partition_worker const& worker) {
    withdraw(worker);
    std::erase_if(workers_, [&](auto const& entry) { return entry.get() == &worker; });
    --running_;
    --runtime->active;
    pump();
}

}  // namespace minibatch::runtime
