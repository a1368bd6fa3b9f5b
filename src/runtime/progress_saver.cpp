#include "runtime/progress_saver.hpp"

#include <boost/asio/post.hpp>
#include <utility>

#include "runtime/back_off.hpp"

namespace minibatch::runtime {

void progress_saver::save() {
    if (ended_) return;
    if (saving_) {
        save_again_ = true;
        return;
    }
    saving_ = true;
    save_again_ = false;
    repetition_.reset();
    auto covering = std::exchange(to_cover_, {});
    for (auto& window : std::exchange(in_doubt_, {})) covering.push_back(std::move(window));
    for (auto const& window : covering) window->sent = true;
    store::commit_request request{context_.group, lease_.epoch(), tracker_.snapshot(), {}};
    auto const low_number = request.state.low_number;
    write_list requests;
    requests.emplace_back(std::move(request), [self = shared_from_this(), loop = context_.env.loop, low_number,
                                               covered = std::move(covering), waiters = std::exchange(to_tell_, {})](
                                                  store::write_result outcome) mutable {
        asio::post(loop, [self = std::move(self), low_number, covered = std::move(covered),
                          waiters = std::move(waiters), outcome = std::move(outcome)]() mutable {
            std::optional<error> problem;
            if (auto* failed = std::get_if<error>(&outcome)) problem = std::move(*failed);
            self->finished(std::move(problem), low_number, covered, std::move(waiters));
        });
    });
    // Trimming goes along where it takes effect after the save; elsewhere it waits for the save's end.
    if (context_.tuning.scope == store::write_scope::whole_store) trimmer_.committed(low_number, requests);
    context_.runtime.writes->submit_all(std::move(requests));
}

void progress_saver::finished(std::optional<error> problem, std::int64_t low_number,
                              std::vector<window_ptr> const& covered, std::vector<save_done> waiters) {
    saving_ = false;
    if (!ended_ && problem && problem->code() == errc::fenced) listener_.fenced();
    if (ended_) {
        for (auto const& window : covered) {
            window->save_ended(problem);
            window->tell_committers(problem);
        }
    } else {
        if (!problem) {
            doubts_ = 0;
            context_.budget.renew();
        }
        in_doubt_ = listener_.save_ended(covered, problem);
    }
    for (auto& waiter : waiters) std::move(waiter)(problem);
    if (!ended_) go_on(low_number, problem);
}

void progress_saver::go_on(std::int64_t low_number, std::optional<error> const& problem) {
    if (!problem && context_.tuning.scope != store::write_scope::whole_store) {
        write_list due;
        trimmer_.committed(low_number, due);
        if (!due.empty()) context_.runtime.writes->submit_all(std::move(due));
    }
    if (save_again_ || !to_cover_.empty() || !to_tell_.empty()) save();
    if (!in_doubt_.empty() && !saving_) {
        auto const& time = context_.env.time;
        repetition_ = time->at(time->now() + back_off_delay(++doubts_), [weak = weak_from_this()] {
            if (auto const self = weak.lock()) self->save();
        });
    }
    context_.wake.notify();
}

asio::awaitable<void> progress_saver::saved() {
    if (ended_) throw error(errc::fenced, "the lease is gone");
    auto token = asio::use_awaitable;
    auto start = [this](auto caller) {
        auto handler = context_.budget.wait(std::move(caller), [](auto resume, error const& problem) {
            std::move(resume)(std::make_exception_ptr(problem));
        });
        tell([loop = context_.env.loop, handler = std::move(handler)](std::optional<error> problem) mutable {
            asio::post(loop, [handler = std::move(handler), problem = std::move(problem)]() mutable {
                std::move(handler)(problem ? std::make_exception_ptr(*problem) : std::exception_ptr());
            });
        });
        save();
    };
    co_await asio::async_initiate<asio::use_awaitable_t<> const, void(std::exception_ptr)>(std::move(start), token);
}

void progress_saver::end(std::string_view why) {
    if (ended_) return;
    ended_ = true;
    repetition_.reset();
    to_cover_.clear();
    in_doubt_.clear();
    for (auto& done : std::exchange(to_tell_, {})) std::move(done)(error(errc::fenced, std::string(why)));
}

}  // namespace minibatch::runtime
