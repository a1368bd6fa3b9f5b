#include "store/sqlite/sqlite_reader.hpp"

#include <sys/stat.h>

#include <filesystem>

#include "store/notifier.hpp"
#include "store/read_only_store.hpp"
#include "store/sqlite/reader_pool.hpp"
#include "store/sqlite/reading_operations.hpp"
#include "store/sqlite/schema.hpp"
#include "store/sqlite/watcher.hpp"

namespace minibatch::store::sqlite {
namespace {

/// A file of which all is known that tells whether it has changed.
struct file_version {
    std::int64_t size;
    std::int64_t seconds;
    std::int64_t nanoseconds;
    friend bool operator==(file_version const&, file_version const&) = default;
};

/// What belongs to the process that opened the database.
struct reader_parts {
    reader_parts(database_path const& path, open_options const& options)
        : files(path), readers(files, connection::opening::read_only, options.readers) {}

    open_files files;
    reader_pool readers;
    std::shared_ptr<notifier> listeners = std::make_shared<notifier>();
    std::mutex watching;
    std::optional<watcher> watch;
};

/// A log with content belongs to the database. Where there is none, nobody writes at present, and the file is read by
/// itself: SQLite would make a log and its index beside it, and fails where it cannot. What was read counts if the file
/// has not changed meanwhile.
class sqlite_reader final : public reading_operations<read_only_store> {
  public:
    sqlite_reader(database_path const& path, open_options const& options)
        : reading_operations(options.time, path.file), parts_(std::make_unique<reader_parts>(path, options)) {
        auto const until = std::chrono::steady_clock::now() + options.timeout;
        time_limit const bounds(until);
        read_file("open", until, [this](connection& db) {
            parts_->files.adopt(db, open_files::which::database);
            empty_ = check_schema(db);
        });
    }
    ~sqlite_reader() override {
        if (guard_.forked()) static_cast<void>(parts_.release());
    }

    std::unique_ptr<subscription> watch(std::function<void()> changed) override {
        guard_.check();
        std::lock_guard const lock(parts_->watching);
        auto subscribed = parts_->listeners->subscribe(std::move(changed));
        if (!parts_->watch) parts_->watch.emplace(nullptr, parts_->listeners, [] { return true; });
        return subscribed;
    }

  private:
    void look(char const* operation, steady_time deadline, reading const& work) override {
        guard_.check();
        auto const until = on_this_machine(deadline);
        time_limit const bounds(until, &latest_);
        parts_->files.check(operation);
        read_file(operation, until, [&](connection& db) {
            if (empty_) empty_ = check_schema(db);
            if (!empty_) work(db);
        });
    }

    void read_file(char const* operation, steady_time until, reading const& work) {
        for (;;) {
            auto const version = at_rest();
            if (!version) return read_with_log(operation, until, work);
            std::optional<error> problem;
            try {
                connection db(parts_->files.path(), connection::opening::immutable);
                db.start(operation, until);
                transaction const view(db, transaction::kind::read);
                work(db);
            } catch (error const& failure) {
                problem = failure;
            }
            if (at_rest() == version) {
                if (problem) throw error(*problem);
                return;
            }
            if (std::chrono::steady_clock::now() >= std::min(until, time_limit::end()))
                throw error(errc::timeout, "database '" + parts_->files.path() + "', " + operation +
                                               ": the file changes all the time while it is read");
        }
    }

    void read_with_log(char const* operation, steady_time until, reading const& work) {
        try {
            reader_pool::loan const reader(parts_->readers, operation, until);
            transaction const view(*reader, transaction::kind::read);
            work(*reader);
        } catch (database_error const& failure) {
            explain(operation, failure);
            throw;
        }
    }

    /// Says why a log cannot be read: SQLite says only that some file cannot be opened.
    void explain(char const* operation, database_error const& failure) const {
        auto const kind = failure.result() & 0xff;
        auto const& path = parts_->files.path();
        std::error_code unknown;
        bool const no_index = !std::filesystem::exists(path + "-shm", unknown) && !unknown;
        if ((kind != SQLITE_CANTOPEN && kind != SQLITE_READONLY) || !no_index) return;
        throw error(errc::read_only, "database '" + path + "', " + operation + ": '" + path +
                                         "-wal' holds changes that are not in the database file yet, and '" + path +
                                         "-shm', which is needed to read them, cannot be made; copy both files to "
                                         "where it can");
    }

    /// The version of the file, if all that was committed is in it.
    std::optional<file_version> at_rest() const {
        auto const& path = parts_->files.path();
        struct stat found {};
        for (auto const* const suffix : {"-wal", "-journal"})
            if (::stat((path + suffix).c_str(), &found) == 0 && found.st_size > 0) return std::nullopt;
        if (::stat(path.c_str(), &found) != 0) return std::nullopt;
        return file_version{found.st_size, found.st_mtim.tv_sec, found.st_mtim.tv_nsec};
    }

    std::unique_ptr<reader_parts> parts_;
    std::atomic<bool> empty_ = false;
};

}  // namespace

std::shared_ptr<store> open_for_reading(database_path const& path, open_options const& options) {
    return std::make_shared<sqlite_reader>(path, options);
}

}  // namespace minibatch::store::sqlite
