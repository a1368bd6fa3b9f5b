#include "store/mongo/changes/change_events.hpp"

#include <charconv>

namespace minibatch::store::mongo {

std::optional<std::pair<log_id, std::string>> parse_change_key(std::string const& key) {
    constexpr std::size_t head = 16 + 1 + 4;
    if (key.size() < head + 2 || key[16] != '/' || key[head] != '/') return std::nullopt;
    log_id log;
    try {
        log.incarnation = parse_incarnation(key.substr(0, 16));
    } catch (error const&) {
        return std::nullopt;
    }
    auto const* const begin = key.data() + 17;
    auto const [end, problem] = std::from_chars(begin, begin + 4, log.partition);
    if (problem != std::errc{} || end != begin + 4) return std::nullopt;
    return std::pair(log, key.substr(head + 1));
}

void add_change_stages(bson::builder& stages, bson_t const* token, std::optional<cluster_time> begin) {
    stages.object_item([&](bson::builder& stage) {
        stage.object("$changeStream", [&](bson::builder& b) {
            if (token) b.add("resumeAfter", *token);
            if (begin) b.timestamp("startAtOperationTime", begin->seconds, begin->increment);
        });
    });
    stages.object_item([](bson::builder& stage) {
        stage.object("$match", [](bson::builder& match) {
            match.list("$or", [](bson::builder& any) {
                auto const one = [&](char const* operation, char const* collection, auto const& rest) {
                    any.object_item([&](bson::builder& b) {
                        b.add("operationType", operation).add("ns.coll", collection);
                        rest(b);
                    });
                };
                auto const exists = [](bson::builder& b) { b.add("$exists", true); };
                one("insert", collection::segments, [](bson::builder& b) {
                    b.object("fullDocument.count", [](bson::builder& count) { count.add("$gt", 0); });
                });
                one("insert", collection::segments,
                    [&](bson::builder& b) { b.object("fullDocument.deleted", exists); });
                one("insert", collection::groups, [](bson::builder&) {});
                one("delete", collection::groups, [](bson::builder&) {});
                one("update", collection::groups,
                    [&](bson::builder& b) { b.object("updateDescription.updatedFields.owner", exists); });
                one("update", collection::groups,
                    [&](bson::builder& b) { b.object("updateDescription.updatedFields.epoch", exists); });
            });
        });
    });
    stages.object_item([](bson::builder& stage) {
        stage.object("$project", [](bson::builder& b) {
            b.add("operationType", 1).add("ns", 1).add("documentKey", 1);
            add_header_fields(b, "fullDocument.");
        });
    });
}

}  // namespace minibatch::store::mongo
