#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <string>

namespace bench {

/// The least that a durable log on SQLite can be: one table, one row and one commit a segment. WAL, synchronous=FULL.
class bare_sqlite {
  public:
    explicit bare_sqlite(std::string const& path);
    ~bare_sqlite();
    bare_sqlite(bare_sqlite const&) = delete;
    bare_sqlite& operator=(bare_sqlite const&) = delete;

    void write(std::int64_t count, std::string const& text);
    std::int64_t messages();

  private:
    void execute(char const* sql);
    sqlite3* db_ = nullptr;
    sqlite3_stmt* insert_ = nullptr;
};

/// Writes so many documents in segments of `size`; returns documents a second.
double bare_rate(std::string const& path, std::int64_t count, std::int64_t size);

}  // namespace bench
