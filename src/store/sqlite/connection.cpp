#include "store/sqlite/connection.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>
#include <thread>

namespace minibatch::store::sqlite {
namespace {

struct explanation {
    errc value;
    char const* words;
};

bool out_of_space(int number) noexcept { return number == ENOSPC || number == EDQUOT || number == EFBIG; }
bool not_permitted(int number) noexcept { return number == EACCES || number == EPERM || number == EROFS; }

/// SQLite reports these as a damaged database, when a statement meets them. `errno` still tells: nothing that succeeds
/// changes it, and it is cleared before each statement.
bool failed_read(int number) noexcept { return number == EIO || number == ENXIO; }

/// The system error of the last failed file operation. SQLite does not report it when a COMMIT fails.
int last_error(sqlite3* db) noexcept {
    if (int const number = sqlite3_system_errno(db); number != 0) return number;
    int number = 0;
    sqlite3_file* log = nullptr;
    if (sqlite3_file_control(db, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log) == SQLITE_OK && log && log->pMethods)
        log->pMethods->xFileControl(log, SQLITE_FCNTL_LAST_ERRNO, &number);
    return number;
}

bool directory_is_closed(std::string const& path) {
    return ::faccessat(AT_FDCWD, std::filesystem::path(path).parent_path().c_str(), W_OK | X_OK, AT_EACCESS) != 0;
}

int flags_of(connection::opening how) noexcept {
    switch (how) {
        case connection::opening::create:
            return SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
        case connection::opening::existing:
            return SQLITE_OPEN_READWRITE;
        case connection::opening::read_only:
            return SQLITE_OPEN_READONLY;
        case connection::opening::immutable:
            return SQLITE_OPEN_READONLY | SQLITE_OPEN_URI;
    }
    return 0;
}

std::string immutable_uri(std::string const& path) {
    std::string out = "file:";
    for (char const c : path) {
        if (c == '%' || c == '?' || c == '#') {
            constexpr std::string_view digits = "0123456789ABCDEF";
            auto const value = static_cast<unsigned char>(c);
            out += {'%', digits[value >> 4], digits[value & 15]};
        } else {
            out += c;
        }
    }
    return out + "?immutable=1";
}

explanation explain(int result, int system_error, bool late) noexcept {
    switch (result & 0xff) {
        case SQLITE_BUSY:
            return {late ? errc::timeout : errc::unavailable, "another process holds the write lock"};
        case SQLITE_LOCKED:
            return {late ? errc::timeout : errc::unavailable, "the database is locked by another connection"};
        case SQLITE_INTERRUPT:
            return {errc::timeout, "it took longer than its time-out"};
        case SQLITE_FULL:
            return {errc::storage_full, "the disk is full"};
        case SQLITE_READONLY:
            if (not_permitted(system_error)) return {errc::read_only, "the directory cannot be written to"};
            return {errc::read_only, "the database is read-only"};
        case SQLITE_CORRUPT:
            return {errc::corrupt, "the database is damaged"};
        case SQLITE_NOTADB:
            return {errc::not_a_database, "this is no SQLite database"};
        case SQLITE_PERM:
            return {errc::read_only, "access is not permitted"};
        case SQLITE_CANTOPEN:
            if (not_permitted(system_error)) return {errc::read_only, "the directory or file cannot be written to"};
            return {errc::unavailable, "the file cannot be opened"};
        case SQLITE_IOERR:
            if (out_of_space(system_error)) return {errc::storage_full, "the disk or a quota is full"};
            return {errc::unavailable, "reading or writing the file failed"};
        case SQLITE_NOMEM:
            return {errc::unavailable, "out of memory"};
        case SQLITE_PROTOCOL:
            return {errc::unavailable, "the database is in use by too many others"};
        default:
            return {errc::store_failure, "SQLite failed"};
    }
}

}  // namespace

bool statement::step() {
    errno = 0;
    int const result = sqlite3_step(prepared_);
    if (result == SQLITE_ROW) return true;
    if (result == SQLITE_DONE) return false;
    owner_.fail(result);
}

std::string_view statement::text(int column) const {
    auto const* const at = sqlite3_column_text(prepared_, column);
    if (!at) {
        // NULL, or a value that could not be loaded: SQLite reads long texts only here.
        if (int const result = sqlite3_errcode(sqlite3_db_handle(prepared_)); result == SQLITE_NOMEM)
            owner_.fail(result);
        return {};
    }
    auto const size = static_cast<std::size_t>(sqlite3_column_bytes(prepared_, column));
    return {reinterpret_cast<char const*>(at), size};
}

void statement::check(int result) const {
    if (result != SQLITE_OK) owner_.fail(result);
}

connection::connection(std::string path, opening how) : path_(std::move(path)) {
    int const flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE | flags_of(how);
    auto const name = how == opening::immutable ? immutable_uri(path_) : path_;
    int const result = sqlite3_open_v2(name.c_str(), &handle_, flags, nullptr);
    if (result != SQLITE_OK) {
        try {
            fail(result);
        } catch (...) {
            sqlite3_close(handle_);
            throw;
        }
    }
    // What other programs have put into the schema must not call functions that have effects.
    sqlite3_db_config(handle_, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
    sqlite3_busy_handler(handle_, &on_busy, this);
    sqlite3_progress_handler(handle_, 20'000, &on_progress, this);
}

connection::~connection() {
    for (auto const& [sql, prepared] : prepared_) sqlite3_finalize(prepared);
    sqlite3_close(handle_);
}

statement connection::prepare(char const* sql) {
    auto& prepared = prepared_[sql];
    if (!prepared) {
        errno = 0;
        int const result = sqlite3_prepare_v3(handle_, sql, -1, SQLITE_PREPARE_PERSISTENT, &prepared, nullptr);
        if (result != SQLITE_OK) fail(result);
    }
    return {*this, prepared};
}

void connection::execute(std::string const& sql) {
    errno = 0;
    int const result = sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, nullptr);
    if (result != SQLITE_OK) fail(result);
}

std::int64_t connection::query_integer(char const* sql) {
    auto query = prepare(sql);
    return query.step() ? query.integer(0) : 0;
}

void connection::fail(int result, char const* detail) const {
    int const last = errno;
    if ((result & 0xff) == SQLITE_CORRUPT && failed_read(last)) {
        result = SQLITE_IOERR_READ;
        detail = sqlite3_errstr(result);
    }
    bool const about_a_file = (result & 0xff) == SQLITE_IOERR || (result & 0xff) == SQLITE_CANTOPEN;
    int system_error = handle_ && about_a_file ? last_error(handle_) : 0;
    if (result == SQLITE_IOERR_READ && failed_read(last)) system_error = last;
    bool const about_permission = (result & 0xff) == SQLITE_CANTOPEN || (result & 0xff) == SQLITE_READONLY;
    if (about_permission && directory_is_closed(path_)) system_error = EACCES;
    bool const late = std::chrono::steady_clock::now() >= end();
    auto const [value, words] = explain(result, system_error, late);
    std::string text = "database '" + path_ + "', " + operation_ + ": " + words;
    text += std::string(" (") + (detail ? detail : handle_ ? sqlite3_errmsg(handle_) : sqlite3_errstr(result));
    if (system_error != 0) text += std::string("; ") + std::generic_category().message(system_error);
    throw database_error(value, text + ")", result);
}

void connection::corrupt(std::string const& what) const {
    throw error(errc::corrupt, "database '" + path_ + "', " + operation_ + ": the database is damaged: " + what);
}

int connection::on_busy(void* self, int tries) {
    using namespace std::chrono_literals;
    auto const deadline = static_cast<connection*>(self)->end();
    auto const now = std::chrono::steady_clock::now();
    if (now >= deadline) return 0;
    auto const pause = std::min<std::chrono::steady_clock::duration>(50us * (1 << std::min(tries, 5)), 1ms);
    std::this_thread::sleep_for(std::min(pause, deadline - now));
    return 1;
}

int connection::on_progress(void* self) {
    return std::chrono::steady_clock::now() >= static_cast<connection*>(self)->end() ? 1 : 0;
}

transaction::transaction(connection& db, kind what) : db_(db) {
    // The one before may still be open: a rollback, too, can fail for lack of memory.
    if (!sqlite3_get_autocommit(db.handle())) db.execute("ROLLBACK");
    if (what == kind::write)
        db.prepare("BEGIN IMMEDIATE").run();
    else
        db.prepare("BEGIN").run();
}

transaction::~transaction() {
    for (int attempt = 0; attempt < 3 && !sqlite3_get_autocommit(db_.handle()); ++attempt)
        sqlite3_exec(db_.handle(), "ROLLBACK", nullptr, nullptr, nullptr);
}

void transaction::commit() { db_.prepare("COMMIT").run(); }

}  // namespace minibatch::store::sqlite
