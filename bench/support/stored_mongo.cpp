#include "support/stored_mongo.hpp"

#include <map>

#include "support/mongoc.hpp"
#include "support/options.hpp"

namespace bench {
namespace {

std::int64_t integer(bson_t const& from, char const* key) {
    bson_iter_t at;
    require(bson_iter_init_find(&at, &from, key) && BSON_ITER_HOLDS_NUMBER(&at), std::string("a record has ") + key);
    return bson_iter_as_int64(&at);
}

struct record {
    std::int64_t first = 0;
    std::int64_t count = 0;
    std::vector<std::int64_t> numbers;
    std::string messages;
};

record read_record(bson_t const& from) {
    record out;
    out.first = integer(from, "first");
    out.count = integer(from, "count");
    bson_iter_t at;
    if (!bson_iter_init_find(&at, &from, "data")) return out;
    std::uint32_t length = 0;
    std::uint8_t const* data = nullptr;
    bson_iter_array(&at, &length, &data);
    out.messages.assign(reinterpret_cast<char const*>(data), length);
    bson_iter_t message;
    require(bson_iter_recurse(&at, &message), "the messages of a record are an array");
    while (bson_iter_next(&message)) {
        bson_iter_t field;
        require(bson_iter_recurse(&message, &field) && bson_iter_find(&field, "n"), "a message has its number");
        out.numbers.push_back(bson_iter_as_int64(&field));
    }
    return out;
}

}  // namespace

stored_on_mongo read_stored_on_mongo(std::string const& url) {
    mongo_collection const segments(url, "minibatch_segments");
    bson_value records;  // the heads have no number
    BCON_APPEND(records.get(), "number", "{", "$exists", BCON_BOOL(true), "}");
    cursor_ptr const cursor(mongoc_collection_find_with_opts(segments.get(), records.get(), nullptr, nullptr));
    std::map<std::int64_t, record> by_number;  // the server need not sort them
    for (bson_t const* each = nullptr; mongoc_cursor_next(cursor.get(), &each);)
        require(by_number.emplace(integer(*each, "number"), read_record(*each)).second, "no number is used twice");
    bson_error_t why{};
    require_done(!mongoc_cursor_error(cursor.get(), &why), why, "find");

    stored_on_mongo found;
    std::int64_t next = 0;
    for (auto& [number, each] : by_number) {
        require(number == next++, "the records are numbered without gaps");
        require(each.first == static_cast<std::int64_t>(found.numbers.size()), "the offsets have no gaps");
        require(each.count == static_cast<std::int64_t>(each.numbers.size()),
                "a record has as many messages as it says");
        if (each.count == 0) continue;
        if (found.sizes.empty()) found.first_messages = std::move(each.messages);
        found.sizes.push_back(each.count);
        found.numbers.insert(found.numbers.end(), each.numbers.begin(), each.numbers.end());
    }
    return found;
}

void require_order_of_each(stored const& found, std::int64_t producers, std::int64_t count) {
    std::vector<std::int64_t> next;
    for (std::int64_t p = 0; p < producers; ++p) next.push_back(p * count);
    for (auto const number : found.numbers) {
        require(number >= 0 && number < producers * count, "only what was appended is stored");
        auto& expected = next[static_cast<std::size_t>(number / count)];
        require(number == expected++, "the documents of each producer are stored in its order");
    }
    for (std::int64_t p = 0; p < producers; ++p)
        require(next[static_cast<std::size_t>(p)] == (p + 1) * count, "all documents of each producer are stored");
}

}  // namespace bench
