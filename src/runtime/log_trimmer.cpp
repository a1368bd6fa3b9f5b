#include "runtime/log_trimmer.hpp"

#include <algorithm>

namespace minibatch::runtime {
namespace {

constexpr std::int64_t max_trimmed_at_once = 4'096;  // records

}  // namespace

void log_trimmer::committed(std::int64_t low_number, write_list& with) {
    stored_ = low_number;
    if (ended_ || !owes(low_number)) return;
    if (low_number - trimmed_ >= context_.tuning.trim_records) {
        trim(with);
    } else if (!due_) {
        auto const& time = context_.env.time;
        due_ = time->at(time->now() + context_.tuning.trim_delay, [weak = weak_from_this()] {
            auto const self = weak.lock();
            if (!self || self->ended_) return;
            self->due_.reset();
            if (self->stored_ > self->trimmed_) self->trim_alone();
        });
    }
}

bool log_trimmer::owes(std::int64_t low_number) const { return !context_.member.options.keep && low_number > trimmed_; }

store::trim_request log_trimmer::request() const {
    store::trim_request request;
    request.log = context_.group.log;
    request.now_at_most = context_.runtime.clocks.time_for_retention();
    // What piles up between two trims goes in one of them.
    request.max_records = static_cast<int>(
        std::clamp<std::int64_t>(context_.tuning.trim_records, request.max_records, max_trimmed_at_once));
    return request;
}

void log_trimmer::end() {
    ended_ = true;
    due_.reset();
}

void log_trimmer::trim(write_list& with) {
    trimmed_ = stored_;
    with.emplace_back(request(), [weak = weak_from_this(), loop = context_.env.loop](store::write_result outcome) {
        auto const* trimmed = std::get_if<store::trim_result>(&outcome);
        if (!trimmed || !trimmed->more) return;
        asio::post(loop, [weak] {
            auto const self = weak.lock();
            if (self && !self->ended_) self->trim_alone();
        });
    });
}

void log_trimmer::trim_alone() {
    write_list alone;
    trim(alone);
    context_.runtime.writes->submit_all(std::move(alone));
}

}  // namespace minibatch::runtime
