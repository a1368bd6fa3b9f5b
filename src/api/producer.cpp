#include <minibatch/producer.hpp>

#include "api/producer_core.hpp"

namespace minibatch {
namespace detail {

producer_core::producer_core(std::shared_ptr<stream_core> target, producer_options options)
    : stream_(std::move(target)), options_(options) {
    if (options.batch_size < 1 || options.batch_size > 100'000) {
        throw error(errc::invalid_argument, "producer_options::batch_size must be between 1 and 100000, not " +
                                                std::to_string(options.batch_size));
    }
    if (options.linger.count() < 0)
        throw error(errc::invalid_argument, "producer_options::linger must not be negative");
    if (options.max_pending_bytes == 0)
        throw error(errc::invalid_argument, "producer_options::max_pending_bytes must be positive");
}

producer_core::~producer_core() {
    if (stream_->db->guard().forked()) {
        static_cast<void>(linger_.release());
        return;
    }
    if (buffer_.empty()) return;
    auto const& env = stream_->db->env();
    stream_->db->engine()->writes->append(
        store::log_id{stream_->record.incarnation, stream_->choose({})}, std::move(buffer_),
        // The callback holds no handle: destroying the last one waits until this is written.
        [say = env.log, name = stream_->record.name](std::optional<error> problem, std::int64_t, std::string_view) {
            if (problem && say)
                say(log_level::error,
                    "documents of a destroyed producer of stream '" + name + "' were not written: " + problem->what());
        });
}

std::shared_ptr<shared_operation<>> producer_core::cancellable(operation<> done) {
    return share(std::move(done), [](shared_operation<>& op, asio::cancellation_type) {
        if (op.claim()) op.done.cancelled();
    });
}

void producer_core::append(encoded_document document, completion<> handler) {
    auto begun = stream_->db->begin(std::move(handler));
    if (!begun) return;
    auto& done = *begun;
    if (document.problem) return done.fail(std::move(*document.problem));
    auto& text = document.text;
    {
        lock const held(mutex_);
        if (failure_) {
            done.fail(error(failure_->code(),
                            std::string("an earlier batch was not written, and flush has not reported it yet: ") +
                                failure_->what()));
            return;
        }
        if (must_wait(text.size())) {
            send();
            waiters_.push_back({cancellable(std::move(done)), std::move(text)});
            return;
        }
        accept(text);
    }
    done.complete(std::nullopt);
}

bool producer_core::try_append(std::string_view document) {
    if (stream_->db->guard().forked()) return false;
    lock const held(mutex_);
    if (failure_ || must_wait(document.size()) || fills_batch(document.size())) return false;
    accept(document);
    return true;
}

bool producer_core::must_wait(std::size_t bytes) const {
    return !waiters_.empty() || (pending_bytes_ > 0 && pending_bytes_ + bytes > options_.max_pending_bytes);
}

/// Whether a document of this size fills the batch.
bool producer_core::fills_batch(std::size_t bytes) const {
    return buffer_.count() + 1 >= static_cast<std::int64_t>(options_.batch_size) || options_.linger.count() == 0 ||
           buffer_.size() + bytes > max_document_bytes / 4;
}

void producer_core::accept(std::string_view document) {
    if (buffer_.empty()) buffered_since_ = stream_->db->env().time->now();
    auto const full = fills_batch(document.size());
    buffer_.add(document);
    pending_bytes_ += document.size();
    batch_bytes_ += document.size();
    if (full)
        send();
    else if (!linger_)
        arm_linger();
}

void producer_core::arm_linger() {
    linger_ = stream_->db->env().time->at(store::after(buffered_since_, options_.linger), [weak = weak_from_this()] {
        if (auto const self = weak.lock()) self->lingered();
    });
}

/// The timer is not reset for each batch. When it fires, it determines the age of the present one.
void producer_core::lingered() {
    lock const held(mutex_);
    linger_.reset();
    if (buffer_.empty()) return;
    if (buffered_since_ + options_.linger <= stream_->db->env().time->now())
        send();
    else
        arm_linger();
}

void producer_core::send() {
    if (buffer_.empty()) return;
    auto const batch = next_batch_++;
    outstanding_.insert(batch);
    auto const size = buffer_.size();
    stream_->db->engine()->writes->append(
        store::log_id{stream_->record.incarnation, stream_->choose({})}, std::exchange(buffer_, {}),
        [self = shared_from_this(), batch, bytes = std::exchange(batch_bytes_, 0)](
            std::optional<error> const& problem, std::int64_t, std::string_view unwritten) mutable {
            auto const completed = self->written(batch, bytes, problem, unwritten);
            // Released first, so that the last handle is destroyed by the caller and not here.
            self.reset();
            for (auto const& [op, outcome] : completed) op->done.complete(outcome);
        });
    buffer_.reserve(size + size / 8);
}

std::vector<producer_core::answer> producer_core::written(std::uint64_t batch, std::size_t bytes,
                                                          std::optional<error> const& problem,
                                                          std::string_view unwritten) {
    std::vector<answer> answers;
    lock const held(mutex_);
    outstanding_.erase(batch);
    pending_bytes_ -= bytes;
    if (problem) {
        if (!failure_) failure_ = problem;
        for (auto const text : log::split(unwritten)) failed_.emplace_back(text);
    }
    while (!waiters_.empty() && (failure_ || pending_bytes_ == 0 ||
                                 pending_bytes_ + waiters_.front().document.size() <= options_.max_pending_bytes)) {
        auto next = std::move(waiters_.front());
        waiters_.pop_front();
        if (!next.done->claim()) continue;
        if (!failure_) accept(next.document);
        answers.push_back({std::move(next.done), failure_});
    }
    if (!waiters_.empty()) send();  // appends that wait for room must not wait for the linger time
    answer_flushers(answers);
    return answers;
}

void producer_core::answer_flushers(std::vector<answer>& answers) {
    while (!flushers_.empty() && (outstanding_.empty() || *outstanding_.begin() > flushers_.front().up_to)) {
        auto const op = std::move(flushers_.front().done);
        flushers_.pop_front();
        if (!op->claim()) continue;
        if (!failure_) {
            answers.push_back({op, std::nullopt});
            continue;
        }
        unwritten_ = std::exchange(failed_, {});
        auto const problem = *std::exchange(failure_, std::nullopt);
        answers.push_back({op, error(problem.code(), std::to_string(unwritten_.size()) +
                                                         (problem.code() == errc::outcome_unknown
                                                              ? " documents may not have been written: "
                                                              : " documents were not written: ") +
                                                         problem.what())});
    }
}

void producer_core::flush(completion<> done) {
    auto begun = stream_->db->begin(std::move(done));
    if (!begun) return;
    std::vector<answer> answers;
    {
        lock const held(mutex_);
        send();
        flushers_.push_back({next_batch_ - 1, cancellable(std::move(*begun))});
        answer_flushers(answers);
    }
    for (auto const& [op, outcome] : answers) op->done.complete(outcome);
}

std::vector<std::string> producer_core::take_unwritten() {
    stream_->db->guard().check();
    lock const held(mutex_);
    return std::exchange(unwritten_, {});
}

}  // namespace detail

producer::producer(std::shared_ptr<detail::producer_core> core) : core_(std::move(core)) {}

void producer::start_append(std::shared_ptr<detail::producer_core> const& core, encoded_document document,
                            detail::completion<> done) {
    core->append(std::move(document), std::move(done));
}

bool producer::try_append(detail::producer_core& owner, encoded_document const& document) {
    return !document.problem && owner.try_append(document.text);
}

void producer::start_flush(std::shared_ptr<detail::producer_core> const& core, detail::completion<> done) {
    core->flush(std::move(done));
}

std::vector<std::string> producer::take_unwritten() { return core_->take_unwritten(); }

}  // namespace minibatch
