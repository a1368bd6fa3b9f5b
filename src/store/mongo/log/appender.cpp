#include "store/mongo/log/appender.hpp"

#include <algorithm>
#include <utility>

#include "store/rules.hpp"

namespace minibatch::store::mongo {

void appender::note_end(log_end const& seen) {
    if (!end_ || seen.end.number > end_->end.number ||
        (seen.end.number == end_->end.number && seen.learned > end_->learned))
        end_ = seen;
}

appender::action appender::begin(new_record record, steady_time steady_now, time_ms now) {
    record_ = std::move(record);
    tries_ = 0;
    collisions_ = 0;
    sent_.reset();
    auto const before = std::find_if(unresolved_.begin(), unresolved_.end(),
                                     [&](attempt const& each) { return each.batch == record_.batch; });
    if (before == unresolved_.end()) return choose(steady_now, now);
    // It was tried before, with an unknown outcome.
    sent_ = std::move(*before);
    unresolved_.erase(before);
    return last_ = insert{sent_->where};
}

appender::action appender::choose(steady_time steady_now, time_ms now) {
    if (!end_ || steady_now - end_->learned > fresh) return last_ = learn{end_ ? end_->end.number : 0, false};
    return place(now);
}

appender::action appender::place(time_ms now) {
    auto const& end = *end_;
    if (end.deleted) return failed{errc::stream_deleted, "the stream was deleted"};
    if (end.last_batch == record_.batch)
        return done{{end.end.number - 1, end.end.offset - end.last_count, end.last_created}, end.end};
    if (record_.count == 0 && end.last_created >= record_.until) return done{{}, end.end};
    auto created = rules::stamp(now, end.last_created);
    // The clock may have been set back since it was found to have passed `until`.
    if (record_.count == 0 && !record_.deleted) created = std::max(created, record_.until);
    sent_ = {record_.batch, {end.end.number, end.end.offset, created, end.bytes}, false};
    return last_ = insert{sent_->where};
}

appender::action appender::learned(log_end const& end, std::int64_t floor, std::optional<std::string> const& at,
                                   time_ms now) {
    note_end(end);  // never decreases: an old answer may come from a replaced server
    if (!sent_) return place(now);
    bool const kept = floor <= sent_->where.number;
    if (kept && at && *at == sent_->batch) return accept(false);
    if (kept && !at) {
        // The record in the way was rolled back: the number is free again.
        last_ = insert{sent_->where};
        return pause{++tries_, 0};
    }
    // The record that has the number below the floor may have been stored after the number was removed.
    if (!kept && sent_->maybe_stored)
        return give_up(errc::outcome_unknown, "the batch may have been stored, and removed since");
    // Another process was first. What was sent under that number can never be stored any more.
    sent_.reset();
    return place(now);
}

appender::action appender::inserted(answer_origin const& from) {
    inserted_ = from;
    bool const certain =
        own_end_ && own_end_->number == sent_->where.number && given_within(own_end_->since, from, fresh);
    if (certain) return accept(true);
    return last_ = confirm{};
}

appender::action appender::duplicate() {
    last_ = learn{sent_->where.number, true};
    // More than one collision means that others append continuously. What is learned is used at once.
    if (++collisions_ == 1) return last_;
    return pause{0, collisions_ - 1};
}

appender::action appender::floor_read(std::optional<std::int64_t> floor) {
    if (!floor) return give_up(errc::outcome_unknown, "the batch was stored while the stream was deleted");
    if (*floor <= sent_->where.number) return accept(true);
    // Either it was stored in time and consumed since, or it was stored after the number was removed.
    end_.reset();
    return give_up(errc::outcome_unknown, "the batch was stored while the log moved on beyond it");
}

appender::action appender::accept(bool just_inserted) {
    auto const where = sent_->where;
    log_position const end{where.number + 1, where.first + record_.count};
    if (!end_ || end_->end.number <= where.number)
        end_ = log_end{end,           where.created, where.bytes_before + record_.bytes,
                       record_.batch, record_.count, record_.deleted,
                       sent_at_};
    if (just_inserted) own_end_ = own_end{end.number, inserted_};
    sent_.reset();
    return done{{where.number, where.first, where.created}, end};
}

appender::action appender::paused() { return last_; }

appender::action appender::not_done(failure const& why, bool last) {
    bool const inserting = std::holds_alternative<insert>(last_);
    if (sent_ && inserting && why.how == severity::unknown) sent_->maybe_stored = true;
    // The insertion has succeeded; whether it counts is unknown.
    bool const maybe = sent_ && (sent_->maybe_stored || std::holds_alternative<confirm>(last_));
    if (why.how == severity::refused && !maybe) return give_up(why.code, why.text);
    if (why.how == severity::refused || last) {
        auto const code = maybe ? errc::outcome_unknown : errc::unavailable;
        return give_up(code, why.text);
    }
    return pause{++tries_, 0};
}

appender::action appender::give_up(errc code, std::string text) {
    if (sent_ && code == errc::outcome_unknown) {
        // The caller may repeat the batch, even after others.
        sent_->maybe_stored = true;
        unresolved_.push_back(std::move(*sent_));
        if (unresolved_.size() > max_unresolved) unresolved_.pop_front();
    }
    sent_.reset();
    return failed{code, std::move(text)};
}

}  // namespace minibatch::store::mongo
