#include "support/mongo_database.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <mutex>
#include <random>
#include <stdexcept>
#include <vector>

#include "support/mongo_command.hpp"

namespace minibatch::test {
namespace {

/// Drops what was made on a server that goes on without us.
class to_drop {
  public:
    to_drop() = default;
    ~to_drop() {
        for (auto const& url : urls_) {
            try {
                mongo_command(url, R"({"dropDatabase": 1})");
            } catch (std::exception const& failure) {
                std::cerr << "a database of the tests is left on the server: " << failure.what() << '\n';
            }
        }
    }
    to_drop(to_drop const&) = delete;
    to_drop& operator=(to_drop const&) = delete;

    void add(std::string url) {
        std::lock_guard const lock(mutex_);
        urls_.push_back(std::move(url));
    }

  private:
    std::mutex mutex_;
    std::vector<std::string> urls_;
};

std::string fresh_name() {
    static std::mutex mutex;
    static std::uint64_t count = 0;
    static auto const run = std::random_device{}();
    std::lock_guard const lock(mutex);
    return "minibatch_test_" + std::to_string(::getpid()) + "_" + std::to_string(run) + "_" + std::to_string(++count);
}

}  // namespace

mongo_server& shared_mongo_server() {
    static mongo_server server;
    return server;
}

std::string fresh_database_url() {
    auto const* named = std::getenv("MINIBATCH_TEST_MONGO_URL");
    if (!named || !*named) return shared_mongo_server().url(fresh_name());
    static to_drop left;
    auto url = url_of_database(named, fresh_name());
    left.add(url);
    return url;
}

std::string url_of_database(std::string const& server, std::string const& database) {
    auto const scheme = server.find("://");
    if (scheme == std::string::npos)
        throw std::runtime_error("the URL of a MongoDB server begins with mongodb:// or mongodb+srv://");
    auto const query = server.find('?', scheme);
    auto const parameters = query == std::string::npos ? std::string("?appName=minibatch-test") : server.substr(query);
    auto const slash = server.find('/', scheme + 3);
    return server.substr(0, std::min(slash, query)) + "/" + database + parameters;
}

}  // namespace minibatch::test
