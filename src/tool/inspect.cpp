#include <algorithm>
#include <boost/json/serialize.hpp>

#include "tool/session.hpp"

/// The commands that look at streams, or remove them.
namespace minibatch::tool {

asio::awaitable<int> run_peek(session& in, peek_options options) {
    auto const db = co_await in.connect_for_reading();
    auto source = co_await db.find_stream(options.stream);
    auto left = options.limit.value_or(INT64_MAX);
    for (int partition = 0; partition < source.partitions() && left > 0 && !in.stopping; ++partition) {
        std::int64_t from = options.from == start_at::latest ? INT64_MAX : 0;
        for (;;) {
            constexpr std::int64_t page = 10'000;
            auto const found = co_await source.peek(partition, from, static_cast<std::size_t>(std::min(left, page)));
            if (found.empty() || in.stopping) break;
            std::string out;
            for (auto const& message : found) out.append(message.text()) += '\n';
            write_out(out);
            left -= static_cast<std::int64_t>(found.size());
            from = found.back().offset() + 1;
            if (left == 0) break;
        }
    }
    co_return exit_done;
}

asio::awaitable<int> run_streams(session& in) {
    auto const db = co_await in.connect_for_reading();
    std::string out;
    for (auto const& name : co_await db.streams()) out += name + "\n";
    write_out(out);
    co_return exit_done;
}

asio::awaitable<int> run_info(session& in, info_options options) {
    auto const db = co_await in.connect_for_reading();
    auto source = co_await db.find_stream(options.stream);
    auto const info = co_await source.info();
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
    co_return exit_done;
}

asio::awaitable<int> run_delete(session& in, delete_options options) {
    auto const db = co_await in.connect();
    co_await db.delete_stream(options.stream);
    co_return exit_done;
}

asio::awaitable<int> run_delete_group(session& in, delete_group_options options) {
    auto const db = co_await in.connect();
    co_await db.delete_group(options.stream, options.group);
    co_return exit_done;
}

}  // namespace minibatch::tool
