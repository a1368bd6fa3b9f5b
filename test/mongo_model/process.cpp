#include "mongo_model/process.hpp"

#include <algorithm>
#include <limits>

#include "store/mongo/log/batch_id.hpp"

namespace mongo_model {

using minibatch::errc;
using minibatch::store::milliseconds;
using mongo::appender;

process::process(timeline& time, fault_profile const& how, cluster& with, ledger& told, std::string name)
    : station(time, how),
      cluster_(with),
      told_(told),
      name_(std::move(name)),
      rate_(time.pick(800, 1'200)),
      offset_(time.pick(100'000, 10'000'000)),
      skew_(time.pick(0, 300)) {}

steady_time process::steady_now() const {
    return steady_time(milliseconds(offset_ + (time_.now() - frozen_for()) * rate_ / 1'000));
}

mongo::cluster_time process::time_at(op_time when) const {
    return {static_cast<std::uint32_t>(cluster_.seconds_of(when)), 0};
}

time_ms process::database_now() const { return 1'000'000 + time_.now() - frozen_for() + skew_; }

void process::serve_read(std::optional<op_time> after, answer to, int tries) {
    reply out;
    if (auto const when = cluster_.readable(after)) {
        out.when = *when;
        to(std::move(out));
    } else if (tries < 1'000) {
        time_.after(20, [this, after, to = std::move(to), tries] { serve_read(after, to, tries + 1); });
    }
}

void process::serve_insert(record what, answer to) {
    reply out;
    if (time_.chance(how_.stale)) {  // a server that is no primary, but may not know yet
        out.refused = time_.chance(300);
        out.when = *cluster_.readable(std::nullopt);
        out.duplicate = !out.refused && cluster_.find(what.where.number, out.when);
        if (out.refused || out.duplicate) to(out);
        return;  // else it waits in vain for a majority
    }
    if (auto const when = cluster_.insert(std::move(what))) return when_durable(*when, std::move(to));
    out.duplicate = true;
    out.when = cluster_.newest();
    to(out);
}

void process::when_durable(op_time write, answer to) {
    reply out;
    out.when = write;
    out.lost = cluster_.lost(write);
    if (out.lost || cluster_.durable() >= write) return to(out);
    time_.after(3, [this, write, to = std::move(to)] { when_durable(write, to); });
}

// ---- adding records, as logs::add does it ---------------------------------------------------------------------------

void process::start(moment until, bool trims, bool deletes) {
    until_ = until;
    trims_ = trims;
    deletes_ = deletes;
    time_.after(time_.pick(0, 500), [this] { run([this] { next_job(); }); });
    if (trims) time_.after(time_.pick(0, 2'000), [this] { run([this] { look_after(); }); });
}

void process::next_job() {
    if (time_.now() >= until_) return;
    job made;
    auto& next = made.what;
    next.batch = name_ + std::to_string(++batches_);
    if (!open_.empty() && time_.chance(600)) {
        auto const at = open_.begin() + time_.pick(0, std::ssize(open_) - 1);
        made = *at;
        open_.erase(at);
        told_.repeated.insert(made.content);
    } else if (deletes_ && time_.now() > until_ / 2 && time_.chance(20)) {
        next.deleted = true;
        next.until = std::numeric_limits<time_ms>::max();
    } else if (time_.chance(120)) {
        next.until = database_now() - time_.pick(0, 4'000);
    } else {
        next.count = time_.pick(1, 5);
        next.bytes = next.count * time_.pick(2, 9);
        made.content = ++told_.contents;
    }
    if (made.content == 0 || !told_.repeated.contains(made.content))
        next.batch = mongo::stored_batch(next.batch, std::to_string(made.content) + "," + std::to_string(next.until));
    begin(std::move(made));
}

void process::begin(job next) {
    record_ = std::move(next.what);
    content_ = next.content;
    busy_ = true;
    stored_at_.reset();
    if (time_.chance(how_.clock_set)) skew_ = time_.pick(-8'000, 300);
    steps_ = 0;
    deadline_ = time_.now() + (time_.chance(500) ? time_.pick(100, 5'000) : time_.pick(5'000, 40'000));
    if (newest_) adding_.note_end(*newest_);
    step(adding_.begin(record_, steady_now(), database_now()));
    if (told_.clones < 3 && time_.chance(how_.cloned)) clone();
}

void process::clone() {
    ++told_.clones;
    auto const add = [&](job const& each) {
        cluster_.allow_twice(each.what.batch);
        told_.cloned.insert(each.content);
    };
    if (content_ != 0) add({record_, content_});
    for (auto const& each : open_) add(each);
    auto other = std::make_unique<process>(time_, how_, cluster_, told_, name_);
    other->rate_ = rate_;
    other->offset_ = offset_;
    other->skew_ = skew_;
    other->until_ = until_;
    other->trims_ = trims_;
    other->adding_ = adding_;
    other->record_ = record_;
    other->content_ = content_;
    other->deadline_ = deadline_;
    other->answered_at_ = answered_at_;
    other->batches_ = batches_;
    other->open_ = open_;
    other->newest_ = newest_;
    other->reached_ = reached_;
    other->floor_ = floor_;
    other->removed_below_ = removed_below_;
    other->connection_ = connection_ + 1;
    other->freeze_like(*this);
    // Whatever it waits for does not come. Its clocks go on from the snapshot.
    auto const later = time_.chance(500) ? time_.pick(0, 2'000) : time_.pick(0, 40'000);
    other->freeze(later);
    other->busy_ = busy_;
    time_.after(later, [made = other.get()] {
        if (made->busy_) return made->not_done(true);
        made->next_job();
    });
    if (trims_) time_.after(later, [made = other.get()] { made->look_after(); });
    clones_.push_back(std::move(other));
}

void process::step(appender::action next) {
    ++steps_;
    if (auto const* what = std::get_if<appender::learn>(&next)) return learn(*what);
    if (auto const* what = std::get_if<appender::insert>(&next)) return insert(what->where);
    if (auto const* what = std::get_if<appender::pause>(&next)) return pause(*what);
    if (auto const* what = std::get_if<appender::done>(&next)) return finished(*what);
    if (auto const* what = std::get_if<appender::failed>(&next)) return failed(*what);
    confirm();
}

void process::not_done(bool unknown, bool refused) {
    mongo::failure why{mongo::severity::not_done, errc::unavailable, "", 0, false, false};
    if (unknown) why.how = mongo::severity::unknown;
    if (refused) {
        why.how = mongo::severity::refused;
        why.code = errc::stream_deleted;
    }
    step(adding_.not_done(why, time_.now() >= deadline_));
}

void process::learn(appender::learn const& what) {
    if (time_.now() >= deadline_) return not_done(false);
    std::optional<op_time> after;
    if (what.after_duplicate) after = answered_at_;
    auto const asked = steady_now();
    ask<reply>(
        writing_, [this, after](answer to) { serve_read(after, std::move(to)); },
        [this, from = what.from, asked](reply const& got) {
            if (got.lost) return not_done(true);
            auto const& front = cluster_.front(got.when);
            if (front.deleted || front.removed) return not_done(false, true);
            std::optional<std::string> at;
            if (auto const* found = cluster_.find(from, got.when)) at = found->batch;
            auto end = cluster_.end(got.when);
            end.learned = asked;
            step(adding_.learned(end, front.floor.number, at, database_now()));
        },
        deadline_ - time_.now());
}

void process::insert(mongo::placement const& where) {
    if (time_.now() >= deadline_) return not_done(false);
    adding_.sending(steady_now());
    record const what{where, record_.count, record_.bytes, record_.batch, record_.deleted, content_};
    ask<reply>(
        writing_, [this, what](answer to) { serve_insert(what, std::move(to)); },
        [this](reply const& got) {
            if (got.lost) ++connection_;
            if (got.lost || got.refused) return not_done(got.lost);
            answered_at_ = got.when;
            if (got.duplicate) return step(adding_.duplicate());
            stored_at_ = time_at(got.when);
            step(adding_.inserted({stored_at_, {1, connection_, connection_}}));
        },
        deadline_ - time_.now());
}

void process::confirm() {
    if (time_.now() >= deadline_) return not_done(false);
    ask<reply>(
        writing_, [this, after = answered_at_](answer to) { serve_read(after, std::move(to)); },
        [this](reply const& got) {
            if (got.lost) return not_done(true);
            auto const& front = cluster_.front(got.when);
            step(adding_.floor_read(front.deleted || front.removed ? std::nullopt : std::optional(front.floor.number)));
        },
        deadline_ - time_.now());
}

void process::pause(appender::pause const& what) {
    auto const most =
        what.collisions > 0 ? 6 * std::min(what.collisions, 4) : std::min(10 << std::min(what.tries, 6), 500);
    auto const delay = time_.pick(what.collisions > 0 ? 0 : most / 2, most);
    if (time_.now() + delay >= deadline_) {
        mongo::failure const why{mongo::severity::not_done, errc::unavailable, "", 0, false, false};
        return step(adding_.not_done(why, true));
    }
    time_.after(delay, [this] { run([this] { step(adding_.paused()); }); });
}

void process::finished(appender::done const& what) {
    busy_ = false;
    told_.most_steps = std::max(told_.most_steps, steps_);
    auto const& history = cluster_.history();
    if (record_.count > 0 || record_.deleted) {
        auto const at = static_cast<std::size_t>(what.stored.number);
        if (at >= history.size() || history[at].content != content_ || history[at].where.first != what.stored.first)
            cluster_.violation(record_.batch + " was reported as stored with number " + std::to_string(at));
        if (content_ != 0) told_.done[content_] = record_.batch;
    } else {
        if (what.end.number > std::ssize(history)) cluster_.violation("an end that the log has not reached");
        told_.seals.emplace_back(record_.until, what.end.number);
    }
    if (adding_.end() && (!newest_ || newest_->end.number <= adding_.end()->end.number)) newest_ = adding_.end();
    if (newest_ && stored_at_) reached_.note(newest_->end.number, {steady_now(), stored_at_});
    if (record_.deleted) time_.after(time_.pick(0, 3'000), [this] { mark_deleted(); });
    auto const idle = time_.chance(700) ? time_.pick(0, 300) : time_.pick(0, 9'000);
    time_.after(idle, [this] { run([this] { next_job(); }); });
}

void process::failed(appender::failed const& what) {
    busy_ = false;
    if (what.code == errc::outcome_unknown) {
        ++told_.unknown;
        if (record_.count > 0) open_.push_back({record_, content_});
    } else if (content_ != 0) {
        told_.failed[content_] = cluster_.history().size();
    }
    time_.after(time_.pick(0, 2'000), [this] { run([this] { next_job(); }); });
}

void process::mark_deleted() {
    when_durable(cluster_.mark_deleted(), [this](reply const& got) {
        if (got.lost) return mark_deleted();
        time_.after(time_.pick(20'000, 40'000), [this] { cluster_.remove_all(); });
    });
}

// ---- trimming -------------------------------------------------------------------------------------------------------

void process::look_after() {
    if (time_.now() >= until_) return;
    time_.after(time_.pick(300, 3'000), [this] { run([this] { look_after(); }); });
    auto const asked = steady_now();
    ask<reply>(
        keeping_, [this](answer to) { serve_read(std::nullopt, std::move(to)); },
        [this, asked](reply const& got) {
            auto const& front = cluster_.front(got.when);
            if (got.lost || front.deleted || front.removed) return;
            auto end = cluster_.end(got.when);
            end.learned = asked;
            if (!newest_ || end.end.number >= newest_->end.number) newest_ = end;
            reached_.note(end.end.number, {steady_now(), time_at(got.when)});
            floor_ = std::max(floor_, front.floor.number);
            trim(got.when);
        },
        20'000);
}

void process::trim(op_time seen) {
    auto const end = cluster_.end(seen).end;
    auto const now_at = cluster_.front(seen).floor.number;
    auto floor = end;
    if (!time_.chance(60)) {  // else it is cleared
        if (end.number - 1 <= now_at) return remove();
        auto const to = time_.chance(700) ? end.number - 1 : time_.pick(now_at, end.number - 1);
        auto const* at = cluster_.find(to, seen);
        if (!at) return cluster_.violation("a record at or above the floor cannot be read");
        floor = {to, at->where.first};
    }
    ask<reply>(
        keeping_, [this, floor](answer to) { when_durable(cluster_.raise_floor(floor), std::move(to)); },
        [this, floor](reply const& got) {
            if (!got.lost) floor_ = std::max(floor_, floor.number);
            remove();
        },
        20'000);
}

void process::remove() {
    if (std::min(floor_, reached_.ripe_below(steady_now())) <= removed_below_) return;
    ask<reply>(
        keeping_, [this](answer to) { when_durable(cluster_.touch(), std::move(to)); },
        [this](reply const& got) {
            if (!got.lost) remove_at(time_at(got.when));
        },
        20'000);
}

void process::remove_at(mongo::cluster_time now) {
    auto const until = std::min(floor_, reached_.removable_below({steady_now(), now}));
    if (until <= removed_below_) return;
    ask<reply>(
        keeping_,
        [this, from = removed_below_, until](answer to) { when_durable(cluster_.remove(from, until), std::move(to)); },
        [this, until](reply const& got) {
            if (!got.lost) removed_below_ = until;
        },
        20'000);
}

}  // namespace mongo_model
