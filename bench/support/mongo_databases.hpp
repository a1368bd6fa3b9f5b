#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "support/options.hpp"

namespace minibatch::test {
class mongo_server;
}

namespace bench {

/// Databases for minibatch and for what it is compared with: on the server that the environment variable
/// MINIBATCH_BENCH_MONGO_URL names, else each on a server of its own, so that none has to clear up behind another. Such
/// a server is started in a new directory in `options::dir`, and makes each commit reach the disk. Throws
/// std::runtime_error when there is none.
class mongo_databases {
  public:
    explicit mongo_databases(options const& how);
    ~mongo_databases();
    mongo_databases(mongo_databases const&) = delete;
    mongo_databases& operator=(mongo_databases const&) = delete;

    /// The URL of an empty database. Writes through it are acknowledged by a majority with journal, and the driver does
    /// not repeat them. Removes the database made before.
    std::string fresh();

  private:
    void drop();
    std::filesystem::path directory_;
    std::string server_;  // a URL; empty: `own_`
    std::unique_ptr<minibatch::test::mongo_server> own_;
    std::string used_;
    int made_ = 0;
};

}  // namespace bench
