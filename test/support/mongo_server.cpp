#include "support/mongo_server.hpp"

#include <poll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "support/certificates.hpp"
#include "support/free_port.hpp"
#include "support/mongo_command.hpp"

namespace minibatch::test {
namespace {

constexpr milliseconds limit{30'000};

/// Tells of each change of a file, also before there is one.
class file_watch {
  public:
    explicit file_watch(std::string const& name) : descriptor_(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)) {
        std::ofstream(name, std::ios::app).flush();
        if (descriptor_ < 0 || ::inotify_add_watch(descriptor_, name.c_str(), IN_MODIFY) < 0) {
            auto const why = std::error_code(errno, std::generic_category());
            if (descriptor_ >= 0) ::close(descriptor_);
            throw std::system_error(why, "inotify");
        }
    }
    ~file_watch() { ::close(descriptor_); }
    file_watch(file_watch const&) = delete;
    file_watch& operator=(file_watch const&) = delete;

    /// Until the file has changed or the process has ended; false: neither came within the limit.
    bool wait(process const& beside, milliseconds most) const {
        pollfd both[] = {{descriptor_, POLLIN, 0}, {beside.descriptor(), POLLIN, 0}};
        auto const ready = ::poll(both, 2, static_cast<int>(most.count()));
        if (ready < 0 && errno != EINTR) throw std::system_error(errno, std::generic_category(), "poll");
        char events[4096];
        while (::read(descriptor_, events, sizeof events) > 0) {
        }
        return ready != 0;
    }

  private:
    int descriptor_;
};

std::string text_of(std::string const& name) {
    std::ifstream file(name);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

}  // namespace

std::string mongo_server_program() {
    auto const* named = std::getenv("MINIBATCH_TEST_MONGO_SERVER");
    std::string program = named && *named ? named : MINIBATCH_TEST_MONGO_SERVER;
    if (::access(program.c_str(), X_OK) != 0)
        throw std::runtime_error("there is no MongoDB-compatible server at '" + program +
                                 "': run tools/test once, which installs it, or name one in the environment variable "
                                 "MINIBATCH_TEST_MONGO_SERVER");
    return program;
}

mongo_server::mongo_server(mongo_server_options options)
    : options_(std::move(options)),
      directory_(options_.parent.empty() ? std::filesystem::temp_directory_path() : options_.parent) {
    // The port is free now, but somebody may be faster.
    for (int tries = 0;; ++tries) {
        port_ = free_port();
        try {
            // Nobody may log in before there is a user.
            launch(false);
            break;
        } catch (std::runtime_error const&) {
            if (tries == 5 || log().find("Address already in use") == std::string::npos) throw;
        }
    }
    if (!options_.auth) return;
    auto const answer =
        mongo_command(address("", port_, "admin"), std::string(R"({"createUser": ")") + user + R"(", "pwd": ")" +
                                                       password + R"(", "roles": ["root"]})");
    stop();
    launch(true);
}

mongo_server::~mongo_server() = default;

void mongo_server::start() { launch(options_.auth); }

void mongo_server::launch(bool auth) {
    if (process_) throw std::runtime_error("the server runs already");
    std::vector<std::string> words{mongo_server_program(), "--port", std::to_string(port_), "--storage-path",
                                   directory_ / "data",
                                   // After a kill, a larger one takes seconds to read.
                                   "--log-file-max", "32MB"};
    if (!options_.cache_size.empty()) words.insert(words.end(), {"--cache-size", options_.cache_size});
    if (options_.sync_on_commit) words.emplace_back("--sync-on-commit");
    if (options_.standalone) words.emplace_back("--standalone");
    if (auth) words.emplace_back("--auth");
    if (options_.tls)
        words.insert(words.end(),
                     {"--tls-cert-file", options_.tls->server(), "--tls-key-file", options_.tls->server_key()});
    auto const said = directory_ / "log";
    file_watch const watch(said);
    auto const before = text_of(said).size();
    process_.emplace(words, said, said);
    auto const until = std::chrono::steady_clock::now() + limit;
    while (text_of(said).find("listening on", before) == std::string::npos) {
        auto const left = std::chrono::ceil<milliseconds>(until - std::chrono::steady_clock::now());
        auto const told = left.count() > 0 && watch.wait(*process_, left);
        if (told && !process_->ended(milliseconds(0))) continue;
        process_.reset();
        throw std::runtime_error(
            (told ? "the MongoDB server ended instead of listening: " : "the MongoDB server did not listen in time: ") +
            log());
    }
}

void mongo_server::kill() { process_.reset(); }

void mongo_server::stop() {
    if (!process_) return;
    process_->signal(SIGTERM);
    auto const ended = process_->ended(limit);
    auto const result = process_->result();
    process_.reset();
    if (!ended) throw std::runtime_error("the MongoDB server does not end: " + log());
    if (result != 0) throw std::runtime_error("the MongoDB server has failed at its end: " + log());
}

void mongo_server::pause() {
    if (!process_) throw std::runtime_error("the server does not run");
    process_->stop();
}

void mongo_server::resume() {
    if (!process_) throw std::runtime_error("the server does not run");
    process_->signal(SIGCONT);
}

std::string mongo_server::address(std::string const& who, std::uint16_t port, std::string const& database) const {
    auto text = "mongodb://" + who + "127.0.0.1:" + std::to_string(port) + "/" + database + "?directConnection=true";
    if (!who.empty()) text += "&authSource=admin";
    if (options_.tls) text += "&tls=true&tlsCAFile=" + options_.tls->authority();
    return text;
}

std::string mongo_server::url(std::string const& database, std::optional<std::uint16_t> port) const {
    auto const who = options_.auth ? std::string(user) + ":" + password + "@" : "";
    return address(who, port.value_or(port_), database);
}

std::string mongo_server::url_for(std::string const& name, std::string const& secret,
                                  std::string const& database) const {
    return address(name + ":" + secret + "@", port_, database);
}

std::string mongo_server::command(std::string const& database, std::string const& json) const {
    return mongo_command(url(database), json);
}

void mongo_server::add_user(std::string const& name, std::string const& secret, std::string const& roles) const {
    command("admin", R"({"createUser": ")" + name + R"(", "pwd": ")" + secret + R"(", "roles": )" + roles + "}");
}

std::string mongo_server::log() const {
    auto const text = text_of(directory_ / "log");
    return text.size() <= 4000 ? text : text.substr(text.size() - 4000);
}

}  // namespace minibatch::test
