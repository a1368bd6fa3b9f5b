#include "support/bare_sqlite.hpp"

#include <algorithm>
#include <stdexcept>

#include "support/clock.hpp"
#include "support/documents.hpp"
#include "support/options.hpp"

namespace bench {

bare_sqlite::bare_sqlite(std::string const& path) {
    if (sqlite3_open(path.c_str(), &db_) != SQLITE_OK) throw std::runtime_error("SQLite cannot open " + path);
    execute("PRAGMA journal_mode = WAL");
    execute("PRAGMA synchronous = FULL");
    execute("CREATE TABLE segments (id INTEGER PRIMARY KEY, count INTEGER NOT NULL, data TEXT NOT NULL)");
    sqlite3_prepare_v2(db_, "INSERT INTO segments (count, data) VALUES (?, ?)", -1, &insert_, nullptr);
}

bare_sqlite::~bare_sqlite() {
    sqlite3_finalize(insert_);
    sqlite3_close(db_);
}

void bare_sqlite::write(std::int64_t count, std::string const& text) {
    sqlite3_bind_int64(insert_, 1, count);
    sqlite3_bind_text(insert_, 2, text.data(), static_cast<int>(text.size()), SQLITE_STATIC);
    auto const outcome = sqlite3_step(insert_);
    sqlite3_reset(insert_);
    if (outcome != SQLITE_DONE) throw std::runtime_error(std::string("SQLite: ") + sqlite3_errmsg(db_));
}

std::int64_t bare_sqlite::messages() {
    sqlite3_stmt* sum = nullptr;
    sqlite3_prepare_v2(db_, "SELECT sum(count) FROM segments", -1, &sum, nullptr);
    auto const found = sqlite3_step(sum) == SQLITE_ROW ? sqlite3_column_int64(sum, 0) : -1;
    sqlite3_finalize(sum);
    return found;
}

void bare_sqlite::execute(char const* sql) {
    if (sqlite3_exec(db_, sql, nullptr, nullptr, nullptr) != SQLITE_OK)
        throw std::runtime_error(std::string("SQLite: ") + sqlite3_errmsg(db_));
}

double bare_rate(std::string const& path, std::int64_t count, std::int64_t size) {
    bare_sqlite db(path);
    documents source;
    std::string segment;
    stopwatch const watch;
    for (std::int64_t first = 0; first < count; first += size) {
        auto const end = std::min(count, first + size);
        segment.assign(1, '[');
        for (auto n = first; n < end; ++n) {
            segment += source.text(n);
            segment += n + 1 < end ? ",\n" : "]";
        }
        db.write(end - first, segment);
    }
    auto const rate = static_cast<double>(count) / watch.seconds();
    require(db.messages() == count, "the bare loop has written everything");
    return rate;
}

}  // namespace bench
