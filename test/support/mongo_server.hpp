#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "support/process.hpp"
#include "support/temporary_directory.hpp"

namespace minibatch::test {

class certificates;

/// What a server is started with.
struct mongo_server_options {
    /// Each commit reaches the disk before it is acknowledged: for tests that kill the server.
    bool sync_on_commit = false;
    /// Users must log in: `mongo_server::user` and `password` may do everything; others by `add_user`.
    bool auth = false;
    /// With TLS, and with the server certificate of these; they must outlive the server. Null: without TLS.
    certificates const* tls = nullptr;
    /// Not a replica set of one member: no change streams, no transactions.
    bool standalone = false;
    /// Where the server's directory is made. Empty: where temporary files are.
    std::filesystem::path parent = {};
    /// Of the server's cache, for example "256M". Empty: the server's own default.
    std::string cache_size = "256M";
};

/// A MongoDB-compatible server of one's own: a process with a directory of its own that listens on the loopback
/// address. It ends with this object, and with the test however that ends. The program is the one that the environment
/// variable MINIBATCH_TEST_MONGO_SERVER names, else the CMake cache variable of that name. MINIBATCH_TEST_MONGO_URL
/// does not matter here: who kills, stops or configures a server does it to one of their own.
///
/// All functions but `url` and `port` are for one thread at a time. They throw std::runtime_error with the end of the
/// server's log, also when something takes longer than 30 s.
class mongo_server {
  public:
    static constexpr auto user = "administrator";
    static constexpr auto password = "correct-horse";

    /// Returns when the server listens (about 0.2 s).
    explicit mongo_server(mongo_server_options options = {});
    mongo_server(mongo_server const&) = delete;
    mongo_server& operator=(mongo_server const&) = delete;
    ~mongo_server();

    /// After `kill` or `stop`: again on the same port and directory. Returns when the server listens.
    void start();
    /// SIGKILL, in the middle of whatever it does.
    void kill();
    /// SIGTERM, and waits for the end.
    void stop();
    /// SIGSTOP: connections stay open, new ones are taken by the kernel, nothing is answered until `resume`.
    void pause();
    void resume();

    std::uint16_t port() const noexcept { return port_; }
    /// A URL that reaches this server as somebody who may do everything. It ends in `?directConnection=true` and what
    /// TLS needs, so that further parameters can be added with `&`. With `port`, that of a proxy before this server:
    /// without a direct connection, drivers would leave the proxy for the address that the server gives as its own.
    std::string url(std::string const& database, std::optional<std::uint16_t> port = {}) const;
    /// The same for somebody else, whose name and password hold no reserved characters.
    std::string url_for(std::string const& name, std::string const& secret, std::string const& database) const;
    /// Runs a command given as JSON on a database, as somebody who may do everything; its answer.
    std::string command(std::string const& database, std::string const& json) const;
    /// With auth. `roles` is a JSON array: `[{"role": "read", "db": "d"}]`.
    void add_user(std::string const& name, std::string const& secret, std::string const& roles) const;

    /// The end of what the server has written.
    std::string log() const;

  private:
    void launch(bool auth);
    bool listens();
    std::string address(std::string const& who, std::uint16_t port, std::string const& database) const;

    mongo_server_options options_;
    temporary_directory directory_;
    std::uint16_t port_ = 0;
    std::optional<process> process_;
};

/// The file of the server's program. Throws std::runtime_error that says what to run when it is not there.
std::string mongo_server_program();

}  // namespace minibatch::test
