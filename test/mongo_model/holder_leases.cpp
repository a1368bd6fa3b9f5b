// How a holder takes, keeps and gives up its lease, as group_table does.
#include "mongo_model/holder.hpp"

namespace mongo_model {

using mongo::lease_status;

namespace {

constexpr moment lease_time = group_ledger::lease_time;
std::string const key = "g";

}  // namespace

void holder::acquire() {
    if (time_.now() >= until_) return;
    if (acquisition_ == 0) acquisition_ = name_ * 1'000'000 + ++acquisitions_;
    auto const granted = std::make_shared<group>();
    auto const ended = watched_ && local_now() - watched_since_ >= lease_time ? watched_ : std::nullopt;
    auto const change = [this, wanted = acquisition_, granted, ended](group& it) {
        bool const ours = it.holder >= 0 && it.acquisition == wanted;
        bool const unchanged = ended && ended->first == it.epoch && ended->second == it.renewals;
        if (!ours && it.holder >= 0 && it.expires > group_.server_now() && !unchanged) return false;
        if (!ours) {
            it.holder = name_;
            it.acquisition = wanted;
            ++it.epoch;
            it.revision = 0;
            it.renewals = 0;
        }
        it.expires = group_.server_now() + lease_time;
        ++it.renewals;
        *granted = it;
        return true;
    };
    ask<reply>(
        line_, [this, change](answer to) { serve_change(change, std::move(to)); },
        [this, granted](reply const& got) {
            auto const again = [this] { run([this] { acquire(); }); };
            if (got.lost) {
                acquired_late_ = true;
                return time_.after(time_.pick(1, 500), again);  // with the same id
            }
            if (!got.found) {
                acquisition_ = 0;
                auto const& seen = group_.at(got.when);
                if (!watched_ || *watched_ != std::pair(seen.epoch, seen.renewals)) {
                    watched_ = std::pair(seen.epoch, seen.renewals);
                    watched_since_ = local_now();
                }
                return time_.after(time_.pick(100, 3'000), again);
            }
            watched_.reset();
            epoch_ = granted->epoch;
            known_.acquired(key, epoch_, granted->revision);
            renewals_.acquired(key, {"", "", epoch_, 0, {}, granted->renewals}, std::exchange(acquired_late_, false));
            state_ = granted->state;
            time_.after(lease_time / 3, [this, term = term_] {
                run([this, term] {
                    if (term == term_) renew();
                });
            });
            next_window();
        },
        5'000);
}

void holder::renew() {
    auto const sent_when = group_.at(group_.durable()).epoch;
    auto const again = [this, term = term_] {
        time_.after(lease_time / 3, [this, term] {
            run([this, term] {
                if (term == term_) renew();
            });
        });
    };
    auto const renewed = [this, sent_when, again] {
        ++told_.renewals;
        told_.note_renewal(epoch_, this);
        if (sent_when > epoch_) told_.violations.push_back("a lease was renewed that had passed to somebody else");
        auto const& now = group_.at(group_.durable());
        // The times are by clocks of servers, which differ.
        if (now.epoch == epoch_ && now.holder >= 0 && now.renewals < renewals_.expected(key, epoch_).value_or(0))
            told_.violations.push_back("a lease was reported as renewed and was not");
        again();
    };
    ask<reply>(
        renewing_,
        [this, epoch = epoch_, count = renewals_.expected(key, epoch_)](answer to) {
            serve_change(
                [this, epoch, count](group& it) {
                    if (it.epoch != epoch || it.holder < 0 || (count && it.renewals != *count)) return false;
                    it.expires = group_.server_now() + lease_time;
                    ++it.renewals;
                    return true;
                },
                std::move(to));
        },
        [this, renewed, again, term = term_, count = renewals_.expected(key, epoch_)](reply const& got) {
            if (term != term_) return;
            if (count) renewals_.sent(key, epoch_, *count, got.found && !got.lost, got.lost);
            if (got.lost || got.refused) return again();
            if (got.found) return renewed();
            ask<reply>(
                renewing_, [this, after = got.when](answer to) { serve_read(after, std::move(to)); },
                [this, again, term](reply const& seen) {
                    if (term != term_) return;
                    if (seen.lost) return again();
                    auto const now = status_in(group_.at(seen.when));
                    if (now == lease_status::lost || now == lease_status::given_up) return lose();
                    auto const& read = group_.at(seen.when);
                    if (now == lease_status::ours &&
                        !renewals_.explains(key, {"", "", read.epoch, 0, {}, read.renewals})) {
                        ++told_.unexplained;
                        return lose();
                    }
                    time_.after(time_.pick(10, 500), [this, term] {
                        run([this, term] {
                            if (term == term_) renew();
                        });
                    });
                },
                3'000);
        },
        3'000);
}

void holder::release() {
    auto const again = [this, term = term_] {
        time_.after(time_.pick(10, 500), [this, term] {
            run([this, term] {
                if (term == term_) release();
            });
        });
    };
    ask<reply>(
        line_,
        [this, epoch = epoch_](answer to) {
            serve_change(
                [epoch](group& it) {
                    if (it.epoch != epoch) return false;
                    it.holder = -1;
                    it.acquisition = 0;
                    it.expires = 0;
                    it.renewals = 0;
                    return true;
                },
                std::move(to));
        },
        [this, again](reply const& got) {
            if (got.lost || got.refused) return again();
            if (got.found) return released();
            ask<reply>(
                line_, [this, after = got.when](answer to) { serve_read(after, std::move(to)); },
                [this, again](reply const& seen) {
                    if (seen.lost) return again();
                    auto const now = status_in(group_.at(seen.when));
                    if (now == lease_status::given_up) return released();
                    if (now == lease_status::lost) return lose();
                    again();
                },
                3'000);
        },
        3'000);
}

void holder::released() {
    ++told_.releases;
    auto const& now = group_.at(group_.durable());
    if (now.epoch == epoch_ && now.holder >= 0)
        told_.violations.push_back("a lease was reported as given up and was not");
    leave();
}

void holder::lose() {
    ++told_.lost_leases;
    leave();
}

void holder::leave() {
    ++term_;
    ++renewing_.waiting;
    ++line_.waiting;  // whatever is under way
    work_.reset();
    epoch_ = -1;
    acquisition_ = 0;
    time_.after(time_.pick(0, 4'000), [this] { run([this] { acquire(); }); });
}

void holder::clone() {
    ++told_.clones;
    auto other = std::make_unique<holder>(time_, how_, group_, told_, name_);
    other->until_ = until_;
    other->acquisitions_ = acquisitions_;
    other->acquisition_ = acquisition_;
    other->epoch_ = epoch_;
    other->state_ = state_;
    other->revisions_.beyond(revisions_.next());
    if (auto const count = renewals_.expected(key, epoch_))
        other->renewals_.acquired(key, {"", "", epoch_, 0, {}, *count}, false);
    if (auto const known = known_.of(key, epoch_)) {
        other->known_.acquired(key, epoch_, known->last);
        other->known_.set(key, epoch_, *known);
    }
    auto const later = time_.pick(0, 2'000);
    other->freeze(later);
    time_.after(later, [made = other.get()] {
        made->renew();
        made->next_window();
    });
    clones_.push_back(std::move(other));
}

lease_status holder::status_in(group const& seen) const {
    return mongo::status_of({seen.holder < 0 ? "" : "somebody", "", seen.epoch, 0}, epoch_);
}

}  // namespace mongo_model
