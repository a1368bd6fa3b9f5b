#include "store/sqlite/sqlite_store.hpp"

#include <filesystem>
#include <mutex>
#include <optional>
#include <utility>

#include "store/fork_guard.hpp"
#include "store/names.hpp"
#include "store/notifier.hpp"
#include "store/sqlite/checkpoints.hpp"
#include "store/sqlite/group_ops.hpp"
#include "store/sqlite/log_ops.hpp"
#include "store/sqlite/reader_pool.hpp"
#include "store/sqlite/stream_ops.hpp"
#include "store/sqlite/watcher.hpp"
#include "store/sqlite/writer.hpp"
#include "store/time_limit.hpp"

namespace minibatch::store {
namespace sqlite {
namespace {

/// What belongs to the process that opened the database.
struct parts {
    parts(std::string const& path, bool full, open_options const& options, steady_time deadline)
        : writing(path, full, options.time, deadline), readers(path, options.readers), housekeeping(path, writing) {}

    writer writing;
    reader_pool readers;
    checkpoints housekeeping;
    std::shared_ptr<notifier> listeners = std::make_shared<notifier>();
    std::mutex watching;
    std::optional<watcher> watch;  // last: its thread uses the others
};

class sqlite_store final : public store {
  private:
    /// Deadlines are by the clock given in the options, the waiting is done by the machine's.
    steady_time on_this_machine(steady_time deadline) const {
        auto const left = std::min<steady_time::duration>(deadline - time_->steady_now(), std::chrono::hours(24));
        return std::chrono::steady_clock::now() + left;
    }

    template <class Work>
    auto change(char const* operation, steady_time deadline, Work const& work) {
        guard_.check();
        auto const until = on_this_machine(deadline);
        time_limit const bounds(until, &latest_);
        return parts_->writing.run(operation, until, work);
    }

    /// In one read transaction, which sees one state of the database.
    template <class Work>
    auto look(char const* operation, steady_time deadline, Work const& work) {
        guard_.check();
        auto const until = on_this_machine(deadline);
        time_limit const bounds(until, &latest_);
        reader_pool::loan const reader(parts_->readers, operation, until);
        transaction const reading(*reader, transaction::kind::read);
        return work(*reader);
    }

  public:
    sqlite_store(std::string const& path, bool full, open_options const& options)
        : time_(options.time),
          parts_(std::make_unique<parts>(path, full, options, std::chrono::steady_clock::now() + options.timeout)) {}

    ~sqlite_store() override {
        // A child must not touch what it inherited: closing would act on the parent's files.
        if (guard_.forked()) static_cast<void>(parts_.release());
    }

    time_ms now() override { return time_->system_now(); }

    stream_record open_stream(std::string const& name, std::optional<int> partitions, std::optional<retention> limits,
                              steady_time deadline) override {
        rules::check_stream(name, partitions, limits);
        return change("open stream", deadline,
                      [&](connection& db) { return sqlite::open_stream(db, name, partitions, limits); });
    }
    std::optional<stream_record> find_stream(std::string const& name, steady_time deadline) override {
        return look("find stream", deadline, [&](connection& db) { return sqlite::find_stream(db, name); });
    }
    std::vector<stream_record> list_streams(steady_time deadline) override {
        return look("list streams", deadline, [](connection& db) { return sqlite::list_streams(db); });
    }
    bool delete_stream(std::string const& name, std::int64_t incarnation, steady_time deadline) override {
        if (!change("delete stream", deadline, [&](connection& db) { return drop_stream(db, name, incarnation); }))
            return false;
        // It is gone; the space comes back in steps, between which others may write, and `maintain` goes on with it.
        try {
            while (change("delete stream", deadline, [](connection& db) { return sweep(db); })) {
            }
        } catch (error const&) {
        }
        return true;
    }
    void clear_stream(std::int64_t incarnation, steady_time deadline) override {
        change("clear stream", deadline, [&](connection& db) { sqlite::clear_stream(db, incarnation); });
    }

    group_state register_group(group_id const& group, start_position start, bool keep, steady_time deadline) override {
        check_name("group", group.group);
        return change("register group", deadline,
                      [&](connection& db) { return enroll(db, group, start, keep, now()); });
    }
    std::vector<group_state> list_groups(std::int64_t incarnation, steady_time deadline) override {
        return look("list groups", deadline, [&](connection& db) { return sqlite::list_groups(db, incarnation); });
    }
    bool delete_group(std::int64_t incarnation, std::string const& group, steady_time deadline,
                      std::span<partition_lease const> ended) override {
        return change("delete group", deadline,
                      [&](connection& db) { return drop_group(db, incarnation, group, ended); });
    }

    void write(std::span<write_job> jobs, steady_time deadline) noexcept override {
        if (jobs.empty()) return;
        try {
            guard_.check();
            auto const until = on_this_machine(deadline);
            time_limit const bounds(until, &latest_);
            parts_->writing.write(jobs, until);
        } catch (error const& failure) {
            for (auto& job : jobs) job.result = failure;
        }
    }

    read_result read(log_id log, std::int64_t from_number, read_limits limits, steady_time deadline) override {
        return look("read", deadline, [&](connection& db) { return sqlite::read(db, log, from_number, limits); });
    }
    std::int64_t locate(log_id log, std::int64_t offset, steady_time deadline) override {
        return look("locate", deadline, [&](connection& db) { return sqlite::locate(db, find_log(db, log), offset); });
    }
    log_state state(log_id log, steady_time deadline) override {
        return look("read state", deadline, [&](connection& db) { return find_log(db, log).state; });
    }
    inspection inspect(std::span<log_id const> logs, std::span<group_id const> groups, steady_time deadline) override {
        return look("inspect", deadline, [&](connection& db) {
            inspection out;
            for (auto const& id : logs) {
                auto const log = find_log_if(db, id);
                out.ends.push_back(log ? std::optional(log->state.end) : std::nullopt);
            }
            for (auto const& id : groups) out.leases.push_back(load_lease(db, id));
            return out;
        });
    }
    std::vector<std::pair<std::string, std::string>> read_collection(std::string const& name,
                                                                     steady_time deadline) override {
        return look("read collection", deadline, [&](connection& db) { return sqlite::read_collection(db, name); });
    }

    std::unique_ptr<subscription> watch(std::function<void()> changed) override {
        guard_.check();
        std::lock_guard const lock(parts_->watching);
        auto subscribed = parts_->listeners->subscribe(std::move(changed));
        auto& writing = parts_->writing;
        if (!parts_->watch)
            parts_->watch.emplace(writing.side(), parts_->listeners,
                                  [&writing] { return writing.changed_by_others(); });
        return subscribed;
    }

    bool maintenance_due() const noexcept override { return parts_->housekeeping.due(); }
    void maintain(steady_time deadline) override {
        guard_.check();
        {
            auto const until = on_this_machine(deadline);
            time_limit const bounds(until, &latest_);
            parts_->housekeeping.run(until);
        }
        if (look("maintain", deadline, [](connection& db) { return needs_sweep(db); }))
            change("maintain", deadline, [](connection& db) { return sweep(db); });
    }

    void limit_calls(steady_time latest) noexcept override { latest_ = on_this_machine(latest); }

  private:
    fork_guard guard_;
    std::shared_ptr<clock> time_;
    std::unique_ptr<parts> parts_;
    time_limit::movable latest_ = steady_time::max();
};

/// The file that the path leads to: SQLite puts its files beside that one, and a later chdir changes nothing.
std::string resolve(std::string const& path, bool create) {
    namespace fs = std::filesystem;
    std::error_code ignored;
    auto resolved = fs::weakly_canonical(fs::absolute(path, ignored), ignored);
    if (resolved.empty()) resolved = path;
    auto const directory = resolved.parent_path();
    if (!fs::is_directory(directory, ignored))
        throw error(errc::unavailable,
                    "database '" + resolved.string() + "', open: " +
                        (fs::exists(directory, ignored) ? "'" + directory.string() + "' is not a directory"
                                                        : "the directory '" + directory.string() + "' does not exist"));
    if (fs::is_directory(resolved, ignored))
        throw error(errc::not_a_database, "database '" + resolved.string() + "', open: this is a directory");
    if (!create && !fs::exists(resolved, ignored))
        throw error(errc::unavailable, "database '" + resolved.string() + "', open: it does not exist");
    return resolved.string();
}

}  // namespace
}  // namespace sqlite

std::shared_ptr<store> open_sqlite(std::string const& path, bool synchronous_full, open_options const& options) {
    return std::make_shared<sqlite::sqlite_store>(sqlite::resolve(path, options.create), synchronous_full, options);
}

}  // namespace minibatch::store
