#include "support/mongo_databases.hpp"

#include <unistd.h>

#include <cstdlib>
#include <utility>

#include "../../test/support/mongo_command.hpp"
#include "../../test/support/mongo_database.hpp"
#include "../../test/support/mongo_server.hpp"
#include "support/report.hpp"

namespace bench {

namespace test = minibatch::test;

mongo_databases::mongo_databases(options const& how) {
    auto const* named = std::getenv("MINIBATCH_BENCH_MONGO_URL");
    if (named && *named) {
        server_ = named;
        return;
    }
    test::mongo_server_options server;
    server.sync_on_commit = true;
    server.parent = how.dir;
    server.cache_size.clear();
    own_ = std::make_unique<test::mongo_server>(server);
}

mongo_databases::~mongo_databases() {
    if (own_) return;  // goes with all that is in it
    try {
        drop();
    } catch (std::exception const& failure) {
        note(std::string("a database is left on the server: ") + failure.what());
    }
}

std::string mongo_databases::fresh() {
    drop();
    auto const name = "minibatch_bench_" + std::to_string(::getpid()) + "_" + std::to_string(++made_);
    auto url = own_ ? own_->url(name) : test::url_of_database(server_, name);
    for (std::string const setting : {"w=majority", "journal=true", "retryWrites=false"})
        if (url.find(setting.substr(0, setting.find('=') + 1), url.find('?')) == std::string::npos)
            url += "&" + setting;
    used_ = url;
    return url;
}

void mongo_databases::drop() {
    if (used_.empty()) return;
    test::mongo_command(std::exchange(used_, {}), R"({"dropDatabase": 1})");
}

}  // namespace bench
