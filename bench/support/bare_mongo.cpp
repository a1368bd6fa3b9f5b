#include "support/bare_mongo.hpp"

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <future>

#include "support/clock.hpp"
#include "support/mongoc.hpp"
#include "support/options.hpp"

namespace bench {
namespace {

/// The document with this number, as in `documents`.
void append_fields(bson_t& to, std::int64_t number) {
    BSON_APPEND_INT32(&to, "n", static_cast<std::int32_t>(number));
    BSON_APPEND_UTF8(&to, "sensor", "hall-7/thermo-0417");
    BSON_APPEND_INT64(&to, "time", 1760000000000);
    BSON_APPEND_DOUBLE(&to, "value", static_cast<double>(number & 1023) + 0.25);
    BSON_APPEND_UTF8(&to, "unit", "celsius");
    BSON_APPEND_BOOL(&to, "ok", true);
}

void append_messages(bson_t& array, std::int64_t first, std::int64_t count) {
    for (std::int64_t i = 0; i < count; ++i) {
        char room[16];
        char const* key = nullptr;
        auto const length = bson_uint32_to_string(static_cast<std::uint32_t>(i), &key, room, sizeof room);
        bson_t message;
        bson_append_document_begin(&array, key, static_cast<int>(length), &message);
        append_fields(message, first + i);
        bson_append_document_end(&array, &message);
    }
}

void insert_segment(mongo_collection const& into, std::int64_t number, std::int64_t first, std::int64_t count) {
    bson_value whole;
    auto& record = *whole.get();
    char text[64];
    std::snprintf(text, sizeof text, "00c0ffee00c0ffee/0000/%012lld", static_cast<long long>(number));
    BSON_APPEND_UTF8(&record, "_id", text);
    BSON_APPEND_UTF8(&record, "incarnation", "00c0ffee00c0ffee");
    BSON_APPEND_INT32(&record, "partition", 0);
    BSON_APPEND_INT64(&record, "number", number);
    BSON_APPEND_INT64(&record, "first", first);
    BSON_APPEND_INT64(&record, "count", count);
    BSON_APPEND_DATE_TIME(&record, "created", 1760000000000);
    std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(number));
    BSON_APPEND_UTF8(&record, "batch", text);
    BSON_APPEND_INT64(&record, "bytes_before", first * 100);
    BSON_APPEND_INT64(&record, "bytes", count * 100);
    bson_t messages;
    BSON_APPEND_ARRAY_BEGIN(&record, "data", &messages);
    append_messages(messages, first, count);
    bson_append_array_end(&record, &messages);
    bson_error_t why{};
    require_done(mongoc_collection_insert_one(into.get(), &record, nullptr, nullptr, &why), why, "insert");
}

/// Room for documents that are inserted together, used again for the next ones.
class batch_of_documents {
  public:
    static constexpr std::int64_t most = 1'000;

    batch_of_documents() {
        for (std::size_t i = 0; i < most; ++i) pointers_[i] = documents_[i].get();
    }
    void insert(mongo_collection const& into, std::int64_t first, std::int64_t count) {
        require(count <= most, "a batch is not too large");
        for (std::int64_t i = 0; i < count; ++i) {
            auto& document = *documents_[i].get();
            bson_reinit(&document);
            append_fields(document, first + i);
        }
        bson_error_t why{};
        require_done(mongoc_collection_insert_many(into.get(), pointers_, static_cast<std::size_t>(count), nullptr,
                                                   nullptr, &why),
                     why, "insert");
    }

  private:
    bson_value documents_[most];
    bson_t const* pointers_[most];
};

/// Looks at each document, and returns how many there were.
std::int64_t visit_all(mongo_collection const& of, bson_t const& all, double& sum) {
    cursor_ptr const cursor(mongoc_collection_find_with_opts(of.get(), &all, nullptr, nullptr));
    std::int64_t found = 0;
    for (bson_t const* each = nullptr; mongoc_cursor_next(cursor.get(), &each); ++found) {
        bson_iter_t at;
        if (bson_iter_init_find(&at, each, "value")) sum += bson_iter_double(&at);
        if (bson_iter_init_find(&at, each, "ok") && bson_iter_bool(&at)) sum += 1;
    }
    bson_error_t why{};
    require_done(!mongoc_cursor_error(cursor.get(), &why), why, "find");
    return found;
}

void insert_group(mongo_collection const& groups) {
    bson_value group;
    BSON_APPEND_UTF8(group.get(), "_id", "group");
    bson_error_t why{};
    require_done(mongoc_collection_insert_one(groups.get(), group.get(), nullptr, nullptr, &why), why, "insert");
}

void update_group(mongo_collection const& groups, std::int64_t low) {
    bson_value key;
    BSON_APPEND_UTF8(key.get(), "_id", "group");
    bson_value change;
    bson_t fields;
    BSON_APPEND_DOCUMENT_BEGIN(change.get(), "$set", &fields);
    BSON_APPEND_INT64(&fields, "low", low);
    bson_append_document_end(change.get(), &fields);
    bson_error_t why{};
    require_done(mongoc_collection_update_one(groups.get(), key.get(), change.get(), nullptr, nullptr, &why), why,
                 "update");
}

/// How far one of two threads has got, told to the other.
class counter {
  public:
    std::int64_t value() const { return value_; }
    void set(std::int64_t value) {
        value_ = value;
        value_.notify_one();
    }
    void wait_for(std::int64_t least) const {
        for (auto now = value_.load(); now < least; now = value_.load()) value_.wait(now);
    }

  private:
    std::atomic<std::int64_t> value_ = 0;
};

/// Does `step` until the counter is at `count`, and sets it there if it fails: nobody waits for ever.
template <class Step>
void count_to(std::int64_t count, counter& done, Step const& step) {
    try {
        while (done.value() < count) done.set(step(done.value()));
    } catch (...) {
        done.set(count);
        throw;
    }
}

void require_count(mongo_collection const& of, std::int64_t count) {
    bson_t const all = BSON_INITIALIZER;
    bson_error_t why{};
    auto const found = mongoc_collection_count_documents(of.get(), &all, nullptr, nullptr, nullptr, &why);
    require_done(found >= 0, why, "count");
    require(found == count, "as many documents are in the collection as were to be");
}

}  // namespace

std::string bare_messages(std::int64_t first, std::int64_t count) {
    bson_value messages;
    append_messages(*messages.get(), first, count);
    return {reinterpret_cast<char const*>(bson_get_data(messages.get())), messages.get()->len};
}

double bare_segments_rate(std::string const& url, std::vector<std::int64_t> const& sizes) {
    mongo_collection const segments(url, "segments");
    require_count(segments, 0);
    std::int64_t number = 0;
    std::int64_t first = 0;
    stopwatch const watch;
    for (auto const size : sizes) {
        insert_segment(segments, number++, first, size);
        first += size;
    }
    auto const rate = static_cast<double>(first) / watch.seconds();
    require_count(segments, number);
    return rate;
}

double insert_many_rate(std::string const& url, std::int64_t count, std::int64_t batch) {
    mongo_collection const messages(url, "messages");
    require_count(messages, 0);
    batch_of_documents documents;
    stopwatch const watch;
    for (std::int64_t first = 0; first < count; first += batch)
        documents.insert(messages, first, std::min(batch, count - first));
    auto const rate = static_cast<double>(count) / watch.seconds();
    require_count(messages, count);
    return rate;
}

double insert_find_delete_rate(std::string const& url, std::int64_t count, std::int64_t batch) {
    mongo_collection const messages(url, "messages");
    require_count(messages, 0);
    bson_t const all = BSON_INITIALIZER;
    batch_of_documents documents;
    double sum = 0;
    stopwatch const watch;
    for (std::int64_t first = 0; first < count; first += batch) {
        auto const size = std::min(batch, count - first);
        documents.insert(messages, first, size);
        require(visit_all(messages, all, sum) == size, "what was inserted is found");
        bson_error_t why{};
        require_done(mongoc_collection_delete_many(messages.get(), &all, nullptr, nullptr, &why), why, "delete");
    }
    auto const rate = static_cast<double>(count) / watch.seconds();
    require_count(messages, 0);
    return rate;
}

double bare_pipeline_rate(std::string const& url, std::int64_t count, std::int64_t window_size, std::int64_t lead) {
    mongo_collection const segments(url, "segments");
    require_count(segments, 0);
    mongo_collection const groups(url, "groups");
    insert_group(groups);
    counter inserted;
    counter committed;
    constexpr auto segment = batch_of_documents::most;
    stopwatch const watch;
    auto producing = std::async(std::launch::async, [&] {
        count_to(count, inserted, [&](std::int64_t first) {
            committed.wait_for(first + segment - lead);
            insert_segment(segments, first / segment, first, segment);
            return first + segment;
        });
    });
    count_to(count, committed, [&](std::int64_t low) {
        inserted.wait_for(low + window_size);
        update_group(groups, low + window_size);
        return low + window_size;
    });
    auto const rate = static_cast<double>(count) / watch.seconds();
    producing.get();
    return rate;
}

}  // namespace bench
