#include "store/mongo/wire/collections.hpp"

#include "bson/to_json.hpp"
#include "store/mongo/wire/commands.hpp"

namespace minibatch::store::mongo {
namespace {

using documents = std::vector<std::pair<std::string, std::string>>;

/// One try, in one session, as a cursor requires.
std::optional<failure> read_into(documents& out, client_pool& clients, std::string const& name, steady_time deadline) {
    client_pool::session in(clients);
    if (auto why = in.begin()) return why;
    bson::document options;
    in.add_to(options);
    auto const take = [&](bson::fields const& each) {
        auto const id = each.find("_id");
        bson::document rest;
        bson_copy_to_excluding_noinit(&each.raw(), rest.get(), "_id", nullptr);
        out.emplace_back(id && BSON_ITER_HOLDS_UTF8(&id->at) ? each.text("_id") : "", bson::to_json(*rest.get()));
    };
    auto command = bson::make([&](bson::builder& b) {
        b.add("find", name);
        b.add("readConcern", clients.read_concern());
    });
    for (char const* batch = "firstBatch";; batch = "nextBatch") {
        auto const got = clients.once(in.client(), command_kind::read, *command.get(), deadline, options.get());
        if (got.problem) return got.problem;
        auto const cursor = bson::fields(*got.body.get(), "a document").object("cursor");
        cursor.each_object(batch, take);
        auto const id = cursor.integer("id");
        if (id == 0) return std::nullopt;
        command = bson::make([&](bson::builder& b) { b.add("getMore", id).add("collection", name); });
    }
}

}  // namespace

documents read_collection(client_pool& clients, std::string const& name, steady_time deadline) {
    for (int tries = 1;; ++tries) {
        documents out;
        auto const problem = read_into(out, clients, name, one_try(deadline));
        if (!problem) return out;
        // A batch whose answer was lost cannot be fetched again: everything is read anew.
        if (problem->how == severity::refused || !pause_before_retry(tries, deadline))
            throw clients.problem("read collection", command_kind::read, *problem, false);
    }
}

}  // namespace minibatch::store::mongo
