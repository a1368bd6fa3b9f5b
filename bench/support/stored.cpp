#include "support/stored.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <charconv>
#include <stdexcept>
#include <string_view>

#include "support/options.hpp"

namespace bench {

stored read_stored(std::string const& path) {
    sqlite3* db = nullptr;
    sqlite3_stmt* rows = nullptr;
    stored found;
    bool whole = sqlite3_open_v2(path.c_str(), &db, SQLITE_OPEN_READWRITE, nullptr) == SQLITE_OK &&
                 sqlite3_busy_timeout(db, 10'000) == SQLITE_OK &&  // the handle may still be closing
                 sqlite3_prepare_v2(db, "SELECT first, count, data FROM minibatch_segments ORDER BY id", -1, &rows,
                                    nullptr) == SQLITE_OK;
    while (whole && sqlite3_step(rows) == SQLITE_ROW) {
        auto const first = sqlite3_column_int64(rows, 0);
        auto const count = sqlite3_column_int64(rows, 1);
        if (count == 0) continue;
        std::string_view const text(reinterpret_cast<char const*>(sqlite3_column_text(rows, 2)),
                                    static_cast<std::size_t>(sqlite3_column_bytes(rows, 2)));
        whole = first == static_cast<std::int64_t>(found.numbers.size());
        constexpr std::string_view key = "{\"n\":";
        for (auto at = text.find(key); at != std::string_view::npos; at = text.find(key, at + 1)) {
            std::int64_t number = -1;
            std::from_chars(text.data() + at + key.size(), text.data() + text.size(), number);
            found.numbers.push_back(number);
        }
        whole = whole && first + count == static_cast<std::int64_t>(found.numbers.size());
        found.sizes.push_back(count);
    }
    sqlite3_finalize(rows);
    sqlite3_close(db);
    require(whole, "the stored segments of " + path + " are whole and without gaps");
    return found;
}

void require_in_order(stored const& found, std::int64_t count) {
    require(static_cast<std::int64_t>(found.numbers.size()) == count, "as many documents are stored as were appended");
    for (std::int64_t n = 0; n < count; ++n)
        require(found.numbers[static_cast<std::size_t>(n)] == n, "the documents are stored in order");
}

void require_each_once(stored const& found, std::int64_t count) {
    auto sorted = found;
    std::sort(sorted.numbers.begin(), sorted.numbers.end());
    require_in_order(sorted, count);
}

}  // namespace bench
