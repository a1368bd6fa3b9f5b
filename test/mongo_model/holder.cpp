#include "mongo_model/holder.hpp"

#include <algorithm>

namespace mongo_model {

using minibatch::errc;
using mongo::committer;

namespace {

bool holds_all(std::set<std::int64_t> const& all, std::set<std::int64_t> const& part) {
    return std::includes(all.begin(), all.end(), part.begin(), part.end());
}

/// With one more offset, in its normal form.
void add(progress& to, std::int64_t offset) {
    auto all = committed_in(to);
    all.insert(offset);
    while (all.contains(to.low)) ++to.low;
    to.low_number = to.low;
    to.committed.clear();
    for (auto const each : all) {
        if (each < to.low) continue;
        if (!to.committed.empty() && to.committed.back().end == each)
            ++to.committed.back().end;
        else
            to.committed.push_back({each, each + 1});
    }
}

}  // namespace

std::set<std::int64_t> committed_in(progress const& state) {
    std::set<std::int64_t> out;
    for (std::int64_t i = 0; i < state.low; ++i) out.insert(i);
    for (auto const& range : state.committed)
        for (auto i = range.begin; i < range.end; ++i) out.insert(i);
    return out;
}

holder::holder(timeline& time, fault_profile const& how, group_replicas& with, group_ledger& told, int name)
    : station(time, how), group_(with), told_(told), name_(name) {}

void holder::start(moment until) {
    until_ = until;
    time_.after(time_.pick(0, 500), [this] { run([this] { acquire(); }); });
}

// ---- the server -----------------------------------------------------------------------------------------------------

void holder::serve_change(std::function<bool(group&)> change, answer to) {
    reply out;
    if (time_.chance(how_.stale)) {  // a server that is no primary, but may not know yet
        out.refused = time_.chance(300);
        out.when = *group_.readable(std::nullopt);
        group seen = group_.at(out.when);
        out.found = !out.refused && change(seen);
        if (!out.found) to(out);
        return;  // else it waits in vain for a majority
    }
    group changed = group_.current();
    out.found = change(changed);
    out.when = out.found ? group_.write(std::move(changed)) : group_.newest();
    when_durable(out.when, out, std::move(to));
}

void holder::when_durable(op_time write, reply out, answer to) {
    out.lost = group_.lost(write);
    if (out.lost || group_.durable() >= write) return to(out);
    time_.after(3, [this, write, out, to = std::move(to)] { when_durable(write, out, to); });
}

void holder::serve_read(std::optional<op_time> after, answer to, int tries) {
    reply out;
    if (auto const when = group_.readable(after)) {
        out.when = *when;
        to(out);
    } else if (tries < 1'000) {
        time_.after(20, [this, after, to = std::move(to), tries] { serve_read(after, to, tries + 1); });
    }
}

// ---- commits, as group_table::commit makes them ---------------------------------------------------------------------

void holder::next_window() {
    if (time_.now() >= until_) return;
    if (time_.chance(30)) return release();
    if (told_.clones < 3 && time_.chance(how_.cloned)) clone();
    add(state_, state_.low + (time_.chance(600) ? 0 : time_.pick(1, 6)));
    state_.start_time = name_ * 1'000'000 + ++told_.commits;  // a mark
    repeated_ = false;
    commit();
}

void holder::commit() {
    request_.group.group = "g";
    request_.epoch = epoch_;
    request_.state = state_;
    deadline_ = time_.now() + (time_.chance(500) ? time_.pick(50, 3'000) : time_.pick(3'000, 30'000));
    work_.emplace(request_, revisions_, known_.of("g", epoch_));
    step(work_->begin());
}

void holder::step(committer::action next) {
    if (auto const* what = std::get_if<committer::update>(&next)) {
        if (time_.now() >= deadline_) return not_done(false);
        auto const change = [wanted = request_, revision = what->revision, expected = what->expected](group& it) {
            if (it.epoch != wanted.epoch || it.state.low > wanted.state.low) return false;
            if (expected ? it.revision != *expected : it.revision >= revision) return false;
            it.state = wanted.state;
            it.revision = revision;
            return true;
        };
        return ask<reply>(
            line_, [this, change](answer to) { serve_change(change, std::move(to)); },
            [this](reply const& got) {
                if (got.lost || got.refused) return not_done(got.lost);
                answered_at_ = got.when;
                step(work_->updated(got.found));
            },
            deadline_ - time_.now());
    }
    if (std::holds_alternative<committer::look>(next)) {
        if (time_.now() >= deadline_) return not_done(false);
        return ask<reply>(
            line_, [this, after = answered_at_](answer to) { serve_read(after, std::move(to)); },
            [this](reply const& got) {
                if (got.lost) return not_done(true);
                auto const& it = group_.at(got.when);
                step(work_->looked(minibatch::store::group_state{request_.group, it.state, {"", "", it.epoch, 0}},
                                   it.revision));
            },
            deadline_ - time_.now());
    }
    if (auto const* what = std::get_if<committer::pause>(&next)) {
        auto const most = std::min(10 << std::min(what->tries, 6), 500);
        return time_.after(time_.pick(most / 2, most), [this, term = term_] {
            run([this, term] {
                if (term == term_) step(work_->paused());
            });
        });
    }
    if (auto const* what = std::get_if<committer::failed>(&next)) return failed(*what);
    committed();
}

void holder::not_done(bool unknown) {
    mongo::failure why{
        unknown ? mongo::severity::unknown : mongo::severity::not_done, errc::unavailable, "", 0, false, false};
    step(work_->not_done(why, time_.now() >= deadline_));
}

void holder::committed() {
    known_.set("g", epoch_, work_->known().value_or(mongo::known_revision{}));
    if (!holds_all(committed_in(group_.at(group_.durable()).state), committed_in(request_.state)))
        told_.violations.push_back("a commit was reported that does not last");
    time_.after(time_.pick(0, 200), [this, term = term_] {
        run([this, term] {
            if (term == term_) next_window();
        });
    });
}

void holder::failed(committer::failed const& why) {
    known_.set("g", epoch_, work_->known().value_or(mongo::known_revision{}));
    if (why.code == errc::outcome_unknown || why.code == errc::unavailable) {
        if (why.code == errc::outcome_unknown) {
            ++told_.unknown;
            repeated_ = true;
        }
        if (time_.chance(200)) return lose();
        return time_.after(time_.pick(0, 1'000), [this, term = term_] {
            run([this, term] {
                if (term == term_) commit();
            });
        });
    }
    ++told_.fenced;
    if (group_.at(group_.durable()).epoch <= epoch_ && told_.clones == 0)
        told_.violations.push_back("the holder was told that it is fenced");
    if (!repeated_) told_.refused[request_.state.start_time] = group_.history().size();
    lose();
}

}  // namespace mongo_model
