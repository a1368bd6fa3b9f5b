#include "store/mongo/wire/server_traits.hpp"

#include "store/mongo/layout.hpp"

namespace minibatch::store::mongo {
namespace {

/// MongoDB 4.2: updates by pipelines, and transactions on sharded clusters.
constexpr std::int64_t least_wire_version = 8;

}  // namespace

server_traits read_hello(bson::fields const& hello, std::string const& hosts) {
    auto const version = hello.integer_if("maxWireVersion").value_or(0);
    if (version < least_wire_version)
        throw error(errc::unsupported, "MongoDB at " + hosts + " is too old: it speaks wire version " +
                                           std::to_string(version) + ", and MongoDB 4.2 or later (" +
                                           std::to_string(least_wire_version) + ") is needed");
    server_traits out;
    out.sharded = hello.text_if("msg").value_or("") == "isdbgrid";
    out.transactions = out.sharded || hello.has("setName");
    out.local_time = hello.date("localTime");
    return out;
}

server_traits greet(client_pool& clients, steady_time deadline) {
    // The older name of the command, which all servers know.
    auto const command = bson::make([](bson::builder& b) { b.add("isMaster", 1); });
    for (int tries = 1;; ++tries) {
        auto const asked = std::chrono::steady_clock::now();
        auto const got = clients.once(command_kind::read, *command.get(), deadline);
        if (!got.problem) {
            auto out = read_hello(bson::fields(*got.body.get(), "the server's greeting"), clients.how().hosts);
            out.asked = asked;
            out.answered = std::chrono::steady_clock::now();
            return out;
        }
        if (got.problem->how == severity::refused || !pause_before_retry(tries, deadline))
            throw clients.problem("connect", command_kind::read, *got.problem, false);
    }
}

void check_rights(client_pool& clients, steady_time deadline) {
    auto const command = bson::make([&](bson::builder& b) {
        b.add("find", collection::streams);
        b.object("filter", [](bson::builder& filter) { filter.add("_id", ""); });
        b.add("limit", 1).add("singleBatch", true);
        b.add("readConcern", clients.read_concern());
    });
    clients.run("connect", command_kind::read, *command.get(), deadline);
}

}  // namespace minibatch::store::mongo
