#pragma once

#include <sqlite3.h>

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <limits>
#include <minibatch/error.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "store/store.hpp"
#include "store/time_limit.hpp"

namespace minibatch::store::sqlite {

/// An error that SQLite reported, as opposed to one found in the stored data.
class database_error : public error {
  public:
    database_error(errc value, std::string diagnostics, int result)
        : error(value, std::move(diagnostics)), result_(result) {}
    /// SQLite's extended result code.
    int result() const noexcept { return result_; }

  private:
    int result_;
};

class connection;

/// One execution of a prepared statement. Values that are bound by reference must outlive it.
class statement {
  public:
    statement(connection& owner, sqlite3_stmt* prepared) noexcept : owner_(owner), prepared_(prepared) {}
    statement(statement const&) = delete;
    statement& operator=(statement const&) = delete;
    ~statement() {
        sqlite3_reset(prepared_);
        sqlite3_clear_bindings(prepared_);
    }

    template <class... Values>
    statement& bind(Values const&... values) {
        int index = 0;
        (bind_one(++index, values), ...);
        return *this;
    }
    /// False when there are no more rows.
    bool step();
    void run() {
        while (step()) {
        }
    }

    std::int64_t integer(int column) const { return sqlite3_column_int64(prepared_, column); }
    /// A number that was stored. The least one, which is in no range, if it is missing or something else.
    std::int64_t stored(int column) const {
        return sqlite3_column_type(prepared_, column) == SQLITE_INTEGER ? integer(column)
                                                                        : std::numeric_limits<std::int64_t>::min();
    }
    std::string_view text(int column) const;
    std::string string(int column) const { return std::string(text(column)); }
    bool null(int column) const { return sqlite3_column_type(prepared_, column) == SQLITE_NULL; }
    std::optional<std::int64_t> optional(int column) const {
        return null(column) ? std::nullopt : std::optional(stored(column));
    }

  private:
    template <std::integral Integer>
    void bind_one(int index, Integer value) {
        check(sqlite3_bind_int64(prepared_, index, static_cast<std::int64_t>(value)));
    }
    template <class Integer>
    void bind_one(int index, std::optional<Integer> const& value) {
        if (value) bind_one(index, *value);
    }
    void bind_one(int index, std::string_view value) {
        check(sqlite3_bind_text64(prepared_, index, value.empty() ? "" : value.data(), value.size(), SQLITE_STATIC,
                                  SQLITE_UTF8));
    }
    void bind_one(int, std::nullptr_t) {}
    void check(int result) const;

    connection& owner_;
    sqlite3_stmt* prepared_;
};

/// A connection to the database file, used by one thread at a time. It waits for locks until the deadline of the
/// current operation, and interrupts statements that run longer.
class connection {
  public:
    enum class opening {
        create,     // a file that does not exist is made
        existing,   // for writing, too
        read_only,  // the log and its index are still used, and made where there are none
        immutable,  // the file alone, without locks, as if nobody wrote to it
    };
    explicit connection(std::string path, opening how = opening::create);
    ~connection();
    connection(connection const&) = delete;
    connection& operator=(connection const&) = delete;

    /// Begins an operation: its name, for error messages, and its deadline, by the machine's steady clock.
    void start(char const* operation, steady_time deadline) noexcept {
        operation_ = operation;
        deadline_ = deadline;
    }
    /// Takes over the operation of another connection.
    void start_as(connection const& other) noexcept { start(other.operation_, other.deadline_); }
    /// The deadline of the operation.
    steady_time end() const noexcept { return std::min(deadline_, time_limit::end()); }
    /// Disables the checkpoint that SQLite runs when the last connection is closed.
    void leave_log() noexcept { sqlite3_db_config(handle_, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr); }
    std::string const& path() const noexcept { return path_; }
    char const* operation() const noexcept { return operation_; }
    sqlite3* handle() const noexcept { return handle_; }

    /// `sql` must be a string literal: prepared statements are cached by its address.
    statement prepare(char const* sql);
    void execute(std::string const& sql);
    std::int64_t query_integer(char const* sql);

    [[noreturn]] void fail(int result, char const* detail = nullptr) const;
    [[noreturn]] void corrupt(std::string const& what) const;

  private:
    static int on_busy(void* self, int tries);
    static int on_progress(void* self);

    std::string path_;
    sqlite3* handle_ = nullptr;
    char const* operation_ = "open";
    steady_time deadline_{};
    std::unordered_map<char const*, sqlite3_stmt*> prepared_;
};

/// Rolled back unless committed.
class transaction {
  public:
    enum class kind { read, write };
    transaction(connection& db, kind what);
    ~transaction();
    transaction(transaction const&) = delete;
    transaction& operator=(transaction const&) = delete;
    void commit();

  private:
    connection& db_;
};

}  // namespace minibatch::store::sqlite
