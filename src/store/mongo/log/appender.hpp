#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <variant>

#include "store/mongo/wire/answer_origin.hpp"
#include "store/mongo/wire/failure.hpp"
#include "store/store.hpp"

namespace minibatch::store::mongo {

/// The end of a log at one moment, as known to a majority of the servers.
struct log_end {
    log_position end;
    time_ms last_created = 0;
    std::int64_t bytes = 0;  // of the texts of all records before it
    std::string last_batch;  // of the last record; empty if there is none
    std::int64_t last_count = 0;
    bool deleted = false;  // the last record says that the stream was deleted
    /// When the question was sent, by the local clock. Only a hint for when to ask again.
    steady_time learned{};
};

/// A record that is to become the next one.
struct new_record {
    std::string batch;       // never empty
    std::int64_t count = 0;  // 0: a control record
    std::int64_t bytes = 0;  // of its text
    /// For a control record: write none if the last record's `created` is not below; else it is given at least this
    /// one.
    time_ms until = 0;
    bool deleted = false;  // it says that the stream was deleted
};

/// The place of a record in the log. It is the same for every try, so that the bytes are the same, too.
struct placement {
    std::int64_t number = 0;
    std::int64_t first = 0;
    time_ms created = 0;
    std::int64_t bytes_before = 0;
    friend bool operator==(placement const&, placement const&) = default;
};

/// The protocol by which this process adds records to one log, one at a time, as a state machine without I/O: it
/// returns the next action and is told its result.
///
/// The unique number decides which process is next. A record that may have been stored is sent again unchanged, under
/// the same number, until its outcome is known: a batch is never stored twice, and never under two numbers.
///
/// If a record was removed, its number accepts another record, which is then not in the log. So a success counts by
/// itself only if the number was the end moments ago. A read does not prove that, since a server that has long been
/// replaced may answer it; a record of our own before it does. And only the server's own time shows that it was moments
/// ago, since all clocks of this machine stand still while it is paused. Otherwise the floor is read after the
/// insertion.
class appender {
  public:
    // The next action.
    struct learn {  // find the end, at or after `from`, by a majority; `after_duplicate`: as of that answer
        std::int64_t from = 0;
        bool after_duplicate = false;
    };
    struct insert {
        placement where;
    };
    struct confirm {};  // read the floor by a majority, as of the answer to the insertion
    struct pause {      // `collisions` > 0: because of other writers; else because the server is unavailable
        int tries = 0;
        int collisions = 0;
    };
    struct done {
        append_result stored;
        log_position end;
    };
    struct failed {
        errc code = errc::outcome_unknown;
        std::string text;
    };
    using action = std::variant<learn, insert, confirm, pause, done, failed>;

    /// Begins with a record. Precondition: the one before is done or failed. `now` are the machine's steady clock and
    /// the database's clock.
    action begin(new_record record, steady_time steady_now, time_ms now);

    // The result of the last action.
    /// `at` is the batch of the record with the number asked for, if it is there.
    action learned(log_end const& end, std::int64_t floor, std::optional<std::string> const& at, time_ms now);
    /// Precondition: `sending` was called before it was sent. `from` is where the success was reported.
    action inserted(answer_origin const& from);
    action duplicate();
    /// Absent: there is no such log any more.
    action floor_read(std::optional<std::int64_t> floor);
    action paused();
    /// The action did not succeed. `last`: there is no time for another try.
    action not_done(failure const& why, bool last);

    void sending(steady_time now) noexcept { sent_at_ = now; }

    /// The newest end that is known, also from reads.
    std::optional<log_end> const& end() const noexcept { return end_; }
    void note_end(log_end const& seen);
    /// Other writers may have added records: the end is looked up before the next one.
    void doubt_end() noexcept {
        if (end_) end_->learned = steady_time{};
    }

    /// How much later, by the server's time, a record may follow one of our own without a look at the floor: records
    /// are removed only when their successor has been known for twice as long.
    static constexpr std::chrono::seconds fresh{5};
    /// How many batches with unknown outcomes are remembered.
    static constexpr std::size_t max_unresolved = 64;

  private:
    struct attempt {
        std::string batch;
        placement where;
        bool maybe_stored = false;  // an answer was lost
    };
    /// A number that no record can have had before this answer was given.
    struct own_end {
        std::int64_t number = 0;
        answer_origin since;
    };
    action choose(steady_time steady_now, time_ms now);
    action place(time_ms now);
    action accept(bool just_inserted);
    /// Remembers the attempt if its outcome is unknown.
    action give_up(errc code, std::string text);

    std::optional<log_end> end_;
    std::optional<own_end> own_end_;
    std::optional<attempt> sent_;
    std::deque<attempt> unresolved_;  // of batches before, which may come again
    new_record record_;
    answer_origin inserted_;  // the success of the insertion
    steady_time sent_at_{};
    action last_{learn{}};  // to repeat after a pause
    int tries_ = 0;
    int collisions_ = 0;
};

}  // namespace minibatch::store::mongo
