#include "runtime/partition_worker.hpp"

#include <boost/asio/detached.hpp>

#include "base/current_error.hpp"
#include "runtime/lasting.hpp"

namespace minibatch::runtime {
namespace {

/// How long `stop()` waits for each answer of an unreachable database; a lease that is not released expires.
constexpr milliseconds stop_limit{2'000};

}  // namespace

partition_worker::partition_worker(std::shared_ptr<group_member> member, store::group_id group)
    : member_(std::move(member)),
      group_(std::move(group)),
      tuning_(member_->runtime->env.database->tune()),
      budget_(member_->runtime->env),
      context_{*member_, *member_->runtime, member_->runtime->env, tuning_, group_, budget_, signal_},
      applicant_(context_),
      outage_(context_) {}

partition_worker::~partition_worker() = default;

void partition_worker::start() {
    asio::co_spawn(
        context_.env.loop, [self = shared_from_this()] { return self->run(); },
        [self = shared_from_this()](std::exception_ptr const& problem) {
            if (problem) {
                try {
                    std::rethrow_exception(problem);
                } catch (...) {
                    self->member_->report(base::current_error(), true);
                }
            }
            self->session_.reset();
            self->member_->finished(*self);
        });
}

void partition_worker::stop() {
    if (member_->stopping == drain::release) budget_.limit(stop_limit);
    signal_.notify();
}

asio::awaitable<void> partition_worker::run() {
    while (!member_->stopping) {
        auto const trouble = co_await hold_lease_once();
        auto const held = static_cast<bool>(session_);
        if (session_) {
            if (!session_->lease.over()) co_await give_back();
            lose(trouble ? trouble->what() : "the consumer has stopped");
            session_.reset();
        }
        if (trouble && lasting(*trouble)) throw error(*trouble);
        if (budget_.exhausted()) {
            if (held) context_.warn(std::string("lease not released: ") + trouble->what() + "; it expires by itself");
            co_return;
        }
        if (trouble) co_await outage_.after(*trouble, nullptr);
    }
}

/// Waits for the lease and works until it is over, or until an error ends that.
asio::awaitable<std::optional<error>> partition_worker::hold_lease_once() {
    std::optional<error> trouble;
    std::function<bool()> stopped = [this] { return member_->stopping.has_value(); };
    try {
        if (!watching_) context_.runtime.watch(weak_from_this());
        watching_ = true;
        auto const granted = co_await applicant_.acquire(std::move(stopped));
        if (granted) {
            begin_session(*granted);
            co_await work();
        }
        outage_.end();
    } catch (...) {
        trouble = base::current_error();
    }
    co_return trouble;
}

void partition_worker::begin_session(lease_applicant::grant const& granted) {
    progress_saver::listener& told_of_saves = *this;
    session_ = std::make_unique<partition_session>(context_, weak_from_this(), granted, told_of_saves, outage_);
    auto told = [weak = weak_from_this(), loop = context_.env.loop](std::optional<store::log_position> end) {
        asio::post(loop, [weak, end] {
            auto const self = weak.lock();
            if (!self || !self->session_) return;
            if (end)
                self->session_->reader.learn_end(*end);
            else
                self->session_->reader.doubt_end();
            self->signal_.notify();
        });
    };
    session_->follower = context_.runtime.newest.follow(group_.log, std::move(told));
    context_.runtime.keep(weak_from_this(), member_->options.lease);
}

asio::awaitable<void> partition_worker::work() {
    auto& session = *session_;
    while (!session.lease.over()) {
        std::optional<steady_time> look_again;
        std::optional<error> trouble;
        bool go_on = false;
        try {
            go_on = co_await work_once(look_again);
        } catch (error const& problem) {
            if (session.lease.over() && problem.code() == errc::fenced) co_return;
            // An outage does not end the lease: what is in flight can still be committed when it is over.
            if (budget_.exhausted() && session.windows.in_use()) continue;
            if (member_->stopping || lasting(problem) || problem.code() == errc::fenced) throw;
            trouble = problem;
        }
        if (trouble) {
            co_await outage_.after(*trouble, &session.lease);
        } else if (!go_on && !session.lease.over()) {
            outage_.end();
            co_await signal_.wait(context_.env, look_again);
        }
    }
}

/// False: nothing to do before the signal, or before `look_again`.
asio::awaitable<bool> partition_worker::work_once(std::optional<steady_time>& look_again) {
    auto& session = *session_;
    session.windows.redeliver_due(look_again);
    if (!member_->stopping) {
        if (!session.maker.has_room()) co_return false;
        co_return co_await session.maker.step(look_again);
    }
    if (*member_->stopping == drain::flush && !session.maker.flushed()) co_await session.maker.flush();
    if (!session.windows.in_use()) co_await release();
    co_return false;
}

asio::awaitable<void> partition_worker::release() {
    auto& session = *session_;
    member_->withdraw(*this);  // what was made and not taken could not be committed any more
    // Failures that were not stored yet count on the next holder's side.
    if (session.saver->busy()) co_await session.saver->saved();
    if (session.trimmer->owes(session.tracker.snapshot().low_number)) {
        store::write_request request = session.trimmer->request();
        co_await written<store::trim_result>(context_.env, budget_, *context_.runtime.writes, std::move(request));
    }
    session.lease.end();
    applicant_.lost();
    store::write_request last = session.lease.release();
    co_await written<store::done>(context_.env, budget_, *context_.runtime.writes, std::move(last));
    // A standby in this process hears of it here; those in others through the store.
    context_.runtime.change_seen();
}

/// Tries, once, to let others have the lease at once, after an error that ends this worker or its drain.
asio::awaitable<void> partition_worker::give_back() {
    store::write_request last = session_->lease.release();
    try {
        co_await written<store::done>(context_.env, budget_, *context_.runtime.writes, std::move(last));
        context_.runtime.change_seen();
    } catch (error const&) {
        // It expires by itself.
    }
}

/// Ends the session: nothing is delivered any more, and what tries to commit is refused.
void partition_worker::lose(std::string_view why) {
    if (session_->lease.over()) return;
    applicant_.lost();
    context_.warn("lease given up: " + std::string(why));
    member_->withdraw(*this);
    session_->end(why);
    signal_.notify();
}

bool partition_worker::may_deliver() const { return session_ && session_->lease.valid(context_.env.time->now()); }

int partition_worker::attempt(window_record const& window) const { return session_->windows.attempt(window); }

void partition_worker::commit(window_ptr const& window, int delivery, detail::callback<> done) {
    if (session_)
        session_->windows.commit(window, delivery, std::move(done));
    else
        window_book::refuse_commit(*window, std::move(done));
}

void partition_worker::fail(window_ptr const& window, int delivery, std::string const& reason,
                            std::optional<milliseconds> delay, detail::callback<> done) {
    if (session_)
        session_->windows.fail(window, delivery, reason, delay, std::move(done));
    else
        window_book::refuse_failure(*window, errc::fenced, std::move(done));
}

void partition_worker::returned(window_ptr const& window, int delivery, bool looked_at) {
    if (session_) session_->windows.returned(window, delivery, looked_at);
}

std::optional<store::renew_request> partition_worker::renewal() const {
    return session_ ? session_->lease.renewal() : std::nullopt;
}

void partition_worker::renewed(std::int64_t epoch, store::write_result const& outcome, steady_time sent) {
    if (!session_ || session_->lease.over() || session_->lease.epoch() != epoch) return;
    if (std::holds_alternative<store::done>(outcome)) {
        session_->lease.renewed(sent);
        outage_.end();
        member_->pump();
        if (session_->reader.put_off()) context_.runtime.look_soon();
        return;
    }
    auto const& problem = std::get<error>(outcome);
    if (problem.code() == errc::fenced) {
        lose("another consumer has taken over");
    } else if (lasting(problem)) {
        session_->reader.doubt_end();  // the next read meets the same and ends this worker
        signal_.notify();
    } else {
        member_->report(problem, false);
    }
}

bool partition_worker::concerned() {
    if (!session_) return true;
    if (session_->lease.over()) return false;
    auto const required = session_->planner.required(session_->pending, session_->reader.now());
    return session_->reader.wants_inspection(required);
}

void partition_worker::changed(std::optional<store::log_position> end, std::optional<store::lease> held) {
    if (!session_) return applicant_.changed(held);
    if (held && held->epoch > session_->lease.epoch()) lose("another consumer has taken over");
    if (session_->reader.inspected(end)) signal_.notify();
}

void partition_worker::store_failed() {
    if (!session_) return applicant_.changed(std::nullopt);
    session_->reader.doubt_end();
    signal_.notify();
}

}  // namespace minibatch::runtime
