#pragma once

#include "bson/builder.hpp"
#include "bson/fields.hpp"

/// Builders of the commands. `filter` and `change` are called with the builder of that document.
namespace minibatch::store::mongo {

template <class Filter, class Change>
bson::document update_one(char const* collection, Filter const& filter, Change const& change, bool upsert = false) {
    return bson::make([&](bson::builder& out) {
        out.add("update", collection);
        out.list("updates", [&](bson::builder& list) {
            list.object_item([&](bson::builder& one) {
                one.object("q", filter);
                one.object("u", change);
                if (upsert) one.add("upsert", true);
            });
        });
    });
}

template <class Filter>
bson::document delete_one(char const* collection, Filter const& filter) {
    return bson::make([&](bson::builder& out) {
        out.add("delete", collection);
        out.list("deletes", [&](bson::builder& list) {
            list.object_item([&](bson::builder& one) {
                one.object("q", filter);
                one.add("limit", 1);
            });
        });
    });
}

inline bson::document insert_one(char const* collection, bson::document const& what) {
    return bson::make([&](bson::builder& out) {
        out.add("insert", collection);
        out.list("documents", [&](bson::builder& list) { list.item(what); });
    });
}

/// How many documents a write has matched.
inline std::int64_t count_of(bson::document const& reply) {
    return bson::fields(*reply.get(), "an answer of the server").integer("n");
}

/// Calls `each(bson::fields)` for the documents of an answer to `find`. The cursor's id, 0 when these are all.
template <class Each>
std::int64_t documents_of(bson::document const& reply, std::string what, Each const& each) {
    bson::fields const body(*reply.get(), std::move(what));
    auto const cursor = body.object("cursor");
    cursor.each_object("firstBatch", each);
    return cursor.integer("id");
}

}  // namespace minibatch::store::mongo
