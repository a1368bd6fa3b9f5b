#include "support/redis.hpp"

#include <hiredis/hiredis.h>

#include <chrono>
#include <memory>
#include <stdexcept>
#include <thread>
#include <vector>

#include "support/clock.hpp"
#include "support/documents.hpp"
#include "support/options.hpp"
#include "support/other_process.hpp"
#include "support/temporary.hpp"

namespace bench {
namespace {

struct free_context {
    void operator()(redisContext* context) const { redisFree(context); }
};
struct free_reply {
    void operator()(redisReply* reply) const { freeReplyObject(reply); }
};
using context_ptr = std::unique_ptr<redisContext, free_context>;
using reply_ptr = std::unique_ptr<redisReply, free_reply>;

context_ptr connect(std::string const& socket, process& server) {
    for (int i = 0; i < 500 && server.running(); ++i) {
        context_ptr context(redisConnectUnix(socket.c_str()));
        if (context && context->err == 0) {
            reply_ptr const pong(static_cast<redisReply*>(redisCommand(context.get(), "PING")));
            if (pong && pong->type == REDIS_REPLY_STATUS) return context;
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    throw std::runtime_error("redis-server does not answer");
}

reply_ptr next_reply(redisContext* context) {
    void* reply = nullptr;
    if (redisGetReply(context, &reply) != REDIS_OK) throw std::runtime_error(std::string("Redis: ") + context->errstr);
    reply_ptr result(static_cast<redisReply*>(reply));
    if (result->type == REDIS_REPLY_ERROR) throw std::runtime_error(std::string("Redis: ") + result->str);
    return result;
}

/// One connection with the requests it has under way.
struct client {
    context_ptr context;
    int outstanding = 0;

    void send(documents& source, std::int64_t& next, std::int64_t count, int pipeline) {
        for (; outstanding < pipeline && next < count; ++next, ++outstanding) {
            auto const text = source.text(next);
            char const* words[] = {"XADD", "s", "*", "d", text.c_str()};
            std::size_t const lengths[] = {4, 1, 1, 1, text.size()};
            redisAppendCommandArgv(context.get(), 5, words, lengths);
        }
        for (int done = 0; done == 0;) {
            if (redisBufferWrite(context.get(), &done) != REDIS_OK)
                throw std::runtime_error(std::string("Redis: ") + context->errstr);
        }
    }
    void receive() {
        for (; outstanding > 0; --outstanding) next_reply(context.get());
    }
};

}  // namespace

double redis_rate(std::filesystem::path const& parent, std::int64_t count, int connections, int pipeline) {
    temporary_directory const directory(parent);
    // The path of a socket must be short, which that of the databases' directory may not be.
    temporary_directory const short_name(std::filesystem::temp_directory_path());
    auto const socket = (short_name.path() / "s").string();
    process server({"redis-server", "--port", "0", "--unixsocket", socket, "--dir", directory.path().string(), "--save",
                    "", "--appendonly", "yes", "--appendfsync", "always", "--auto-aof-rewrite-percentage", "0",
                    "--logfile", (directory.path() / "log").string()});
    std::vector<client> clients(static_cast<std::size_t>(connections));
    for (auto& each : clients) each.context = connect(socket, server);

    documents source;
    std::int64_t next = 0;
    stopwatch const watch;
    for (auto& each : clients) each.send(source, next, count, pipeline);
    for (bool busy = true; busy;) {
        busy = false;
        for (auto& each : clients) {
            if (each.outstanding == 0) continue;
            each.receive();
            each.send(source, next, count, pipeline);
            busy = true;
        }
    }
    auto const rate = static_cast<double>(count) / watch.seconds();
    auto* const any = clients.front().context.get();
    redisAppendCommand(any, "XLEN s");
    require(next_reply(any)->integer == count, "Redis has taken everything");
    return rate;
}

}  // namespace bench
