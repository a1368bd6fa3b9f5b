#include "support/chosen_stores.hpp"

#include <atomic>
#include <cstdlib>
#include <sstream>
#include <stdexcept>

#ifdef MINIBATCH_WITH_MONGODB
#include "support/mongo_database.hpp"
#endif

namespace minibatch::test {

std::vector<std::string> chosen_stores() {
    char const* const chosen = std::getenv("MINIBATCH_TEST_STORES");  // NOLINT(concurrency-mt-unsafe)
    std::istringstream names(chosen ? chosen : "memory sqlite");
    std::vector<std::string> stores;
    for (std::string name; names >> name;) stores.push_back(name);
    return stores;
}

std::string empty_database(std::string const& store, std::string const& directory) {
    static std::atomic<int> count = 0;
    if (store == "memory") return "memory:empty" + std::to_string(++count);
    if (store == "sqlite") return "sqlite:" + directory + "/test.db";
#ifdef MINIBATCH_WITH_MONGODB
    if (store == "mongo") return fresh_database_url();
#endif
    throw std::runtime_error("this build of the tests has no store '" + store + "'");
}

}  // namespace minibatch::test
