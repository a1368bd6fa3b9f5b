// How a holder takes, keeps and gives up its lease, as group_table does.
#include "mongo_model/holder.hpp"

namespace mongo_model {

using mongo::standing;

namespace {

constexpr moment lease_time = 10'000;

}  // namespace

void holder::acquire() {
    if (time_.now() >= until_) return;
    if (acquisition_ == 0) acquisition_ = name_ * 1'000'000 + ++acquisitions_;
    auto const granted = std::make_shared<group>();
    auto const change = [this, wanted = acquisition_, granted](group& it) {
        bool const ours = it.holder >= 0 && it.acquisition == wanted;
        if (!ours && it.holder >= 0 && it.expires > time_.now()) return false;
        if (!ours) {
            it.holder = name_;
            it.acquisition = wanted;
            ++it.epoch;
            it.revision = 0;
        }
        it.expires = time_.now() + lease_time;
        *granted = it;
        return true;
    };
    ask<reply>(
        line_, [this, change](answer to) { serve_change(change, std::move(to)); },
        [this, granted](reply const& got) {
            auto const again = [this] { run([this] { acquire(); }); };
            if (got.lost) return time_.after(time_.pick(1, 500), again);  // with the same id
            if (!got.found) {
                acquisition_ = 0;
                return time_.after(time_.pick(100, 3'000), again);
            }
            epoch_ = granted->epoch;
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
    auto const renewed = [this, sent_when, again, sent = time_.now()] {
        ++told_.renewals;
        if (sent_when > epoch_) told_.wrongs.push_back("a lease was renewed that had passed to somebody else");
        auto const& now = group_.at(group_.durable());
        if (now.epoch == epoch_ && now.holder >= 0 && now.expires < sent + lease_time)
            told_.wrongs.push_back("a lease was reported as renewed and was not");
        again();
    };
    ask<reply>(
        renewing_,
        [this, epoch = epoch_](answer to) {
            serve_change(
                [this, epoch](group& it) {
                    if (it.epoch != epoch || it.holder < 0) return false;
                    it.expires = time_.now() + lease_time;
                    return true;
                },
                std::move(to));
        },
        [this, renewed, again, term = term_](reply const& got) {
            if (term != term_) return;
            if (got.lost || got.refused) return again();
            if (got.found) return renewed();
            ask<reply>(
                renewing_, [this, after = got.when](answer to) { serve_read(after, std::move(to)); },
                [this, again, term](reply const& seen) {
                    if (term != term_) return;
                    if (seen.lost) return again();
                    auto const now = standing_in(group_.at(seen.when));
                    if (now == standing::lost || now == standing::given_up) return lose();
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
                    auto const now = standing_in(group_.at(seen.when));
                    if (now == standing::given_up) return released();
                    if (now == standing::lost) return lose();
                    again();
                },
                3'000);
        },
        3'000);
}

void holder::released() {
    ++told_.releases;
    auto const& now = group_.at(group_.durable());
    if (now.epoch == epoch_ && now.holder >= 0) told_.wrongs.push_back("a lease was reported as given up and was not");
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

standing holder::standing_in(group const& seen) const {
    return mongo::standing_of({seen.holder < 0 ? "" : "somebody", "", seen.epoch, 0}, epoch_);
}

}  // namespace mongo_model
