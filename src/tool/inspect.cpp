#include <boost/json/serialize.hpp>

#include "tool/exit_code.hpp"
#include "tool/session.hpp"
#include "tool/standard_streams.hpp"

/// The commands that look at streams, or remove them.
namespace minibatch::tool {

asio::awaitable<int> run_streams(session& in) {
    auto const db = co_await in.connect_for_reading();
    std::string out;
    auto const list = [&] { return db.streams(); };
    for (auto const& name : co_await in.persist(list)) out += name + "\n";
    write_out(out);
    in.settled();
    co_return exit_done;
}

asio::awaitable<int> run_info(session& in, info_options options) {
    auto const db = co_await in.connect_for_reading();
    auto const look = [&]() -> asio::awaitable<stream_info> {
        auto source = co_await db.find_stream(options.stream);
        co_return co_await source.info();
    };
    auto const info = co_await in.persist(look);
    if (options.json) {
        boost::json::array groups;
        for (auto const& group : info.groups) {
            groups.push_back({{"name", group.name},
                              {"keep", group.keep},
                              {"lag", group.lag},
                              {"lost", group.lost},
                              {"owner", group.owner}});
        }
        boost::json::object out{{"stream", info.name}, {"partitions", info.partitions},  {"messages", info.messages},
                                {"bytes", info.bytes}, {"ahead_ms", info.ahead.count()}, {"groups", std::move(groups)}};
        write_out(boost::json::serialize(out) + "\n");
        in.settled();
        co_return exit_done;
    }
    std::string out = "stream      " + info.name + "\npartitions  " + std::to_string(info.partitions) +
                      "\nmessages    " + std::to_string(info.messages) + "\nbytes       " + std::to_string(info.bytes) +
                      "\n";
    if (info.ahead.count() > 0)
        out += "clock       " + std::to_string(info.ahead.count() / 1'000) +
               " s behind the newest message; fixed time windows stand still until it has caught up\n";
    for (auto const& group : info.groups) {
        out += "group       " + group.name + ": lag " + std::to_string(group.lag);
        if (group.lost > 0) out += ", lost to retention " + std::to_string(group.lost);
        if (group.keep) out += ", keeps";
        out += group.owner.empty() ? ", no consumer\n" : ", consumer " + group.owner + "\n";
    }
    write_out(out);
    in.settled();
    co_return exit_done;
}

asio::awaitable<int> run_delete(session& in, delete_options options) {
    auto const db = co_await in.connect();
    in.on_stop = [] {};  // it is finished, so that the exit code tells what has become of it
    auto const remove = [&] { return db.delete_stream(options.stream); };
    co_await in.persist(remove);
    in.settled();
    co_return exit_done;
}

asio::awaitable<int> run_delete_group(session& in, delete_group_options options) {
    auto const db = co_await in.connect();
    in.on_stop = [] {};
    auto const remove = [&] { return db.delete_group(options.stream, options.group); };
    co_await in.persist(remove);
    in.settled();
    co_return exit_done;
}

}  // namespace minibatch::tool
