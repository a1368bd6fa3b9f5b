#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "store/mongo/log/log_views.hpp"
#include "store/mongo/wire/client_pool.hpp"

namespace minibatch::store::mongo {

/// Finds out about the logs of a database on MongoDB: where they end, what their heads and the headers of their records
/// say. Thread-safe.
///
/// Records are asked for by their number alone. The end is found by asking for several numbers in one command, ever
/// farther apart.
class log_lookup {
  public:
    log_lookup(client_pool& clients, log_views& views) : clients_(clients), views_(views) {}

    struct overview {
        head front;
        log_end end;
    };
    /// Throws errc::stream_deleted. `after`: not as it was before that time.
    overview look(log_id log, steady_time deadline, std::optional<cluster_time> after = {});
    log_state state(log_id log, steady_time deadline);
    /// As `store::locate`.
    std::int64_t locate(log_id log, std::int64_t offset, steady_time deadline);
    /// Throws errc::stream_deleted.
    head read_head(log_id log, steady_time deadline);
    /// Absent: not there (any more).
    std::optional<record_header> header(log_id log, std::int64_t number, steady_time deadline);
    /// Of several numbers, in order, those that are there.
    std::vector<record_header> headers(log_id log, std::span<std::int64_t const> numbers, steady_time deadline);
    /// Throws errc::corrupt, which names the record, if the one with `number` is missing although it was not trimmed
    /// and the one with `later`, a higher number, is there.
    void check_missing(log_id log, std::int64_t number, std::int64_t later, steady_time deadline);

    /// A number below which there are no records, since records are removed from the front. What a late insert has left
    /// there may be overlooked.
    std::int64_t lowest(log_id log, std::int64_t below, steady_time deadline);
    /// The ends of several logs, asked for in one command as far as they have not moved. An absent one was deleted.
    /// `after`: not as they were before that time.
    std::vector<std::optional<log_position>> ends(std::span<log_id const> asked, std::optional<cluster_time> after,
                                                  steady_time deadline);

    struct probed {
        std::optional<cluster_time> told;  // the server's time in the answer
        std::optional<head> front;
        std::vector<record_header> found;  // by number, ascending
    };
    /// The head, and the headers of the records with these numbers, in one command. A failure is thrown, or returned
    /// if `why` is given.
    std::optional<probed> probe(log_id log, std::vector<std::int64_t> const& numbers, std::optional<cluster_time> after,
                                steady_time deadline, failure* why);

    struct found_end {
        head front;
        log_end end;
        std::optional<std::string> batch_at;  // of the record with the number that the search began at
    };
    /// Looks for the end from this number on. A failure is thrown, or returned if `why` is given.
    std::optional<found_end> find_end(log_id log, std::int64_t from, std::optional<cluster_time> after,
                                      steady_time deadline, failure* why);

    /// The command that finds the head and these records, if they are there.
    bson::document find_by_key(log_id log, std::vector<std::int64_t> const& numbers, bool with_messages,
                               std::optional<cluster_time> after = {}) const;

    client_pool& clients() noexcept { return clients_; }
    log_views& views() noexcept { return views_; }
    database_clock& time() noexcept { return views_.time(); }

  private:
    client_pool& clients_;
    log_views& views_;
};

}  // namespace minibatch::store::mongo
