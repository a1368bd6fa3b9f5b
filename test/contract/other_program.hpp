#pragma once

#include <sqlite3.h>

#include <boost/test/unit_test.hpp>
#include <string>

namespace minibatch::test {

/// Another program with SQLite.
class other_program {
  public:
    explicit other_program(std::string const& path) { BOOST_REQUIRE(sqlite3_open(path.c_str(), &db_) == SQLITE_OK); }
    ~other_program() { sqlite3_close(db_); }
    void run(std::string const& sql) const {
        BOOST_REQUIRE_MESSAGE(sqlite3_exec(db_, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK,
                              sqlite3_errmsg(db_));
    }
    std::string query(std::string const& sql) const {
        std::string out;
        auto const row = [](void* to, int columns, char** values, char**) {
            for (int i = 0; i < columns; ++i)
                *static_cast<std::string*>(to) += std::string(values[i] ? values[i] : "NULL") + "|";
            *static_cast<std::string*>(to) += "\n";
            return 0;
        };
        BOOST_REQUIRE_MESSAGE(sqlite3_exec(db_, sql.c_str(), row, &out, nullptr) == SQLITE_OK, sqlite3_errmsg(db_));
        return out;
    }

  private:
    sqlite3* db_ = nullptr;
};

}  // namespace minibatch::test
