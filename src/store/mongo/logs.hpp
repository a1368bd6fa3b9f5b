#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "store/mongo/appender.hpp"
#include "store/mongo/batch_id.hpp"
#include "store/mongo/client_pool.hpp"
#include "store/mongo/database_clock.hpp"
#include "store/mongo/layout.hpp"
#include "store/mongo/reached.hpp"

namespace minibatch::store::mongo {

/// What this handle knows of one log. Its parts are used as their comments say.
struct log_view {
    /// By one write at a time.
    appender adding;
    // By the same, all by the machine's clock: how it takes turns with others who add to the log.
    steady_time turn_began{};
    steady_time last_added{};
    steady_time met_others{};
    std::chrono::steady_clock::duration round_trip{};  // of the last insertion

    std::mutex mutex;  // for the rest
    std::optional<log_end> newest;
    /// Up to here those who wait have been told, or need not be. What was read does not count: nobody heard of it.
    std::int64_t told = 0;
    reached_numbers reached;  // for the removal of records
    /// Average size of a record, for how many to ask for; 0 unknown.
    std::int64_t record_bytes = 0;
    /// Records below are gone, as far as this handle knows; absent: not known yet.
    std::optional<std::int64_t> removed_below;
    /// As last read; only grows.
    std::int64_t floor = 0;
};

/// The logs of a database on MongoDB: reading them, and adding to them. Thread-safe; only one write at a time for each
/// log.
///
/// Records are asked for by their number alone. The end is found by asking for several numbers in one command, ever
/// farther apart.
class logs {
  public:
    logs(client_pool& clients, database_clock& time) : clients_(clients), time_(time) {}

    /// Sets what `prepare` would have, if it was not called.
    append_result append(append_request& request, steady_time deadline);
    seal_result seal(seal_request const& request, steady_time deadline);
    /// Adds the record that says that the stream was deleted, unless it is there.
    void bury(log_id log, steady_time deadline);

    read_result read(log_id log, std::int64_t from, read_limits limits, steady_time deadline);
    std::int64_t locate(log_id log, std::int64_t offset, steady_time deadline);
    log_state state(log_id log, steady_time deadline);

    struct overview {
        head front;
        log_end end;
    };
    /// Throws errc::stream_deleted. `after`: not as it was before that time.
    overview look(log_id log, steady_time deadline, std::optional<cluster_time> after = {});
    /// Throws errc::stream_deleted.
    head read_head(log_id log, steady_time deadline);
    /// Absent: not there (any more).
    std::optional<record_header> header(log_id log, std::int64_t number, steady_time deadline);
    /// Throws errc::corrupt, which names the record, if the one with `number` is missing although it was not trimmed
    /// and the one with `later`, a higher number, is there.
    void check_missing(log_id log, std::int64_t number, std::int64_t later, steady_time deadline);
    /// Of several numbers, in order, those that are there.
    std::vector<record_header> headers(log_id log, std::span<std::int64_t const> numbers, steady_time deadline);

    /// A number below which there are no records, as those that were removed were so from the front; what a late answer
    /// has left alone may be overlooked.
    std::int64_t lowest(log_id log, std::int64_t below, steady_time deadline);

    /// What is known without asking the server: at least as far the log goes.
    std::optional<log_end> known_end(log_id log);
    /// A change stream has told of a record. False: whoever waits for it has been told already.
    bool note_record(log_id log, record_header const& record);
    /// A transaction has added to the log.
    void note_written(log_id log, log_end const& end);
    /// The ends of several logs, asked for in one command as far as they have not moved. An absent one was deleted.
    /// `after`: not as they were before that time.
    std::vector<std::optional<log_position>> ends(std::span<log_id const> asked, std::optional<cluster_time> after,
                                                  steady_time deadline);
    std::shared_ptr<log_view> view(log_id log);
    std::vector<std::pair<log_id, std::shared_ptr<log_view>>> views();
    void forget(log_id log);

    /// The local time, and the server's time in an answer as far as it is used to judge what has passed.
    known_since moment_of(std::optional<cluster_time> told);

    client_pool& clients() noexcept { return clients_; }
    database_clock& time() noexcept { return time_; }

  private:
    struct probed {
        std::optional<cluster_time> told;  // the server's time in the answer
        std::optional<head> front;
        std::vector<record_header> found;  // by number, ascending
    };
    struct found_end {
        head front;
        log_end end;
        std::optional<std::string> batch_at;  // of the record with the number that the search began at
    };
    struct page {
        head front;
        std::vector<log::segment_ptr> records;  // consecutive, from the number asked for
        std::optional<record_header> last;      // of `records`
        bool at_end = false;                    // there are no more
        bool gap = false;                       // some were removed while they were read, or are missing
        std::int64_t behind_gap = 0;            // the number of the next one that is there
        steady_time sent{};
        std::optional<cluster_time> told;  // the server's time in the answer
    };
    /// Numbers in [from, to), evenly: all if there are few, else as many as one question may ask for.
    static std::vector<std::int64_t> spread(std::int64_t from, std::int64_t to);
    /// The command that finds the head and these records, if they are there.
    bson::document find_by_key(log_id log, std::vector<std::int64_t> const& numbers, bool with_messages,
                               std::optional<cluster_time> after = {}) const;
    page read_page(log_id log, log_view& of, std::int64_t from, read_limits limits, steady_time deadline);
    /// The head, and the headers of the records with these numbers, in one command. A failure is thrown, or returned
    /// if `why` is given.
    std::optional<probed> probe(log_id log, std::vector<std::int64_t> const& numbers, std::optional<cluster_time> after,
                                steady_time deadline, failure* why);
    /// Absent: failed, and `why` says how.
    std::optional<found_end> find_end(log_id log, std::int64_t from, std::optional<cluster_time> after,
                                      steady_time deadline, failure* why);

    append_result add(log_id log, log_view& of, new_record record, bson::document const* messages,
                      char const* operation, steady_time deadline, log_position* end = nullptr);
    answer insert(log_id log, placement const& where, new_record const& record, bson::document const* messages,
                  steady_time deadline, route& via);
    static void take_turns(log_view& of, steady_time deadline);
    /// `told`: the server's time in the answer that told of it, if the answer proves that it was the end.
    void note_end(log_view& of, log_end const& end, std::optional<cluster_time> told);

    client_pool& clients_;
    database_clock& time_;
    std::mutex mutex_;
    std::map<log_id, std::shared_ptr<log_view>> views_;
    std::atomic<bool> tells_time_ = false;  // the server does: it is no standalone one
};

}  // namespace minibatch::store::mongo
