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

mongo_databases::mongo_databases(options const& how) : directory_(how.dir) {
    if (auto const* named = std::getenv("MINIBATCH_BENCH_MONGO_URL")) server_ = named;
}

mongo_databases::~mongo_databases() {
    if (server_.empty()) return;  // our own goes with all that is in it
    try {
        drop();
    } catch (std::exception const& failure) {
        note(std::string("a database is left on the server: ") + failure.what());
    }
}

std::string mongo_databases::fresh() {
    drop();
    if (server_.empty()) {
        test::mongo_server_options how;
        how.sync_on_commit = true;
        how.parent = directory_;
        how.cache_size.clear();
        own_.reset();
        own_ = std::make_unique<test::mongo_server>(how);
    }
    auto const name = "minibatch_bench_" + std::to_string(::getpid()) + "_" + std::to_string(++made_);
    auto url = own_ ? own_->url(name) : test::url_of_database(server_, name);
    for (std::string const setting : {"w=majority", "journal=true", "retryWrites=false"})
        if (url.find(setting.substr(0, setting.find('=') + 1), url.find('?')) == std::string::npos)
            url += "&" + setting;
    used_ = url;
    return url;
}

void mongo_databases::drop() {
    if (used_.empty() || server_.empty()) return;
    test::mongo_command(std::exchange(used_, {}), R"({"dropDatabase": 1})");
}

}  // namespace bench
