#include "store/sqlite/sqlite_store.hpp"

#include <filesystem>
#include <mutex>
#include <optional>
#include <utility>

#include "store/names.hpp"
#include "store/notifier.hpp"
#include "store/sqlite/checkpoints.hpp"
#include "store/sqlite/open_files.hpp"
#include "store/sqlite/reader_pool.hpp"
#include "store/sqlite/reading_operations.hpp"
#include "store/sqlite/sqlite_reader.hpp"
#include "store/sqlite/watcher.hpp"
#include "store/sqlite/writer.hpp"
#include "store/time_arithmetic.hpp"

namespace minibatch::store {
namespace sqlite {
namespace {

/// What belongs to the process that opened the database.
struct parts {
    parts(database_path const& path, bool full, open_options const& options, steady_time deadline)
        : files(path),
          writing(files, full, options.time, deadline),
          readers(files, connection::opening::existing, options.readers),
          housekeeping(path.file, writing) {}

    open_files files;
    writer writing;
    reader_pool readers;
    checkpoints housekeeping;
    std::shared_ptr<notifier> listeners = std::make_shared<notifier>();
    std::mutex watching;
    std::optional<watcher> watch;  // last: its thread uses the others
};

class sqlite_store final : public reading_operations<store> {
  public:
    sqlite_store(database_path const& path, bool full, open_options const& options)
        : reading_operations(options.time),
          parts_(
              std::make_unique<parts>(path, full, options, after(std::chrono::steady_clock::now(), options.timeout))) {}

    ~sqlite_store() override {
        // In a child after fork nothing is closed: that would release locks of the parent.
        if (guard_.forked()) static_cast<void>(parts_.release());
    }

    stream_record open_stream(std::string const& name, std::optional<int> partitions, std::optional<retention> limits,
                              steady_time deadline) override {
        rules::check_stream(name, partitions, limits);
        return change("open stream", deadline,
                      [&](connection& db) { return sqlite::open_stream(db, name, partitions, limits); });
    }
    bool delete_stream(std::string const& name, std::int64_t incarnation, steady_time deadline) override {
        if (!change("delete stream", deadline, [&](connection& db) { return drop_stream(db, name, incarnation); }))
            return false;
        // The space is freed in steps, between which others may write. What is left after a failure, `maintain` frees.
        try {
            while (time_->steady_now() < deadline &&
                   change("delete stream", deadline, [](connection& db) { return sweep(db); })) {
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
    bool delete_group(std::int64_t incarnation, std::string const& group, steady_time deadline,
                      std::span<partition_lease const> ended) override {
        return change("delete group", deadline,
                      [&](connection& db) { return drop_group(db, incarnation, group, ended); });
    }

    // NOLINTNEXTLINE(bugprone-exception-escape): without memory to tell of a failure there is no way on.
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

    std::unique_ptr<subscription> watch(std::function<void()> changed) override {
        guard_.check();
        std::lock_guard const lock(parts_->watching);
        auto subscribed = parts_->listeners->subscribe(std::move(changed));
        auto& writing = parts_->writing;
        if (!parts_->watch)
            parts_->watch.emplace(&writing.side(), parts_->listeners,
                                  [&writing] { return writing.changed_by_others(); });
        return subscribed;
    }

    bool maintenance_due() const noexcept override { return parts_->housekeeping.due(); }
    void maintain(steady_time deadline) override {
        guard_.check();
        auto const until = on_this_machine(deadline);
        {
            time_limit const bounds(until, &latest_);
            try {
                parts_->files.check("maintain");
            } catch (error const&) {
                parts_->writing.save_lost_log(until);
                throw;
            }
            parts_->writing.side().restore();
            parts_->housekeeping.run(until);
        }
        if (look_for<bool>("maintain", deadline, [](connection& db) { return needs_sweep(db); }))
            change("maintain", deadline, [](connection& db) { return sweep(db); });
    }

  private:
    template <class Work>
    std::invoke_result_t<Work const&, connection&> change(char const* operation, steady_time deadline,
                                                          Work const& work) {
        guard_.check();
        auto const until = on_this_machine(deadline);
        time_limit const bounds(until, &latest_);
        return parts_->writing.run(operation, until, work);
    }

    void look(char const* operation, steady_time deadline, reading const& work) override {
        guard_.check();
        auto const until = on_this_machine(deadline);
        time_limit const bounds(until, &latest_);
        parts_->files.check(operation);
        reader_pool::loan const reader(parts_->readers, operation, until);
        transaction const view(*reader, transaction::kind::read);
        work(*reader);
    }

    std::unique_ptr<parts> parts_;
};

/// Follows symbolic links as SQLite does: it puts its files beside the one that they lead to, which need not exist yet.
std::filesystem::path without_links(std::filesystem::path path) {
    namespace fs = std::filesystem;
    std::error_code failed;
    constexpr int most = 40;
    for (int links = 0; links < most && fs::is_symlink(path, failed); ++links) {
        auto const target = fs::read_symlink(path, failed);
        if (failed) break;
        path = path.parent_path() / target;
    }
    auto out = fs::weakly_canonical(path, failed);
    return failed || out.empty() ? path : out;
}

/// A later chdir changes nothing.
database_path resolve(std::string const& path, bool create) {
    namespace fs = std::filesystem;
    std::error_code ignored;
    auto given = fs::absolute(path, ignored);
    if (given.empty()) given = path;
    auto const resolved = without_links(given);
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
    return {given.string(), resolved.string()};
}

}  // namespace
}  // namespace sqlite

std::shared_ptr<store> open_sqlite(std::string const& path, bool synchronous_full, open_options const& options) {
    auto const where = sqlite::resolve(path, options.create && !options.read_only);
    if (options.read_only) return sqlite::open_for_reading(where, options);
    return std::make_shared<sqlite::sqlite_store>(where, synchronous_full, options);
}

}  // namespace minibatch::store
