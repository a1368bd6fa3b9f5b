#include "support/other_process.hpp"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <stdexcept>

namespace bench {

process::process(std::vector<std::string> command) : name_(command.at(0)) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("no pipe can be made");
    pipe_ = ends[0];
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    std::vector<char*> arguments;
    for (auto& each : command) arguments.push_back(each.data());
    arguments.push_back(nullptr);
    auto const failure = posix_spawnp(&id_, arguments[0], &actions, nullptr, arguments.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    ::close(ends[1]);
    if (failure != 0) {
        id_ = -1;
        close_pipe();
        throw std::runtime_error("'" + name_ + "' cannot be started; is it installed?");
    }
}

process::~process() {
    if (running()) {
        kill(id_, SIGKILL);
        waitpid(id_, &status_, 0);
    }
    close_pipe();
}

std::string process::output() {
    std::string text;
    char part[65536];
    for (ssize_t got = 0; (got = ::read(pipe_, part, sizeof part)) > 0;)
        text.append(part, static_cast<std::size_t>(got));
    if (id_ > 0) waitpid(id_, &status_, 0);
    id_ = -1;
    if (status_ != 0) throw std::runtime_error("'" + name_ + "' has failed");
    return text;
}

bool process::running() {
    if (id_ <= 0) return false;
    if (waitpid(id_, &status_, WNOHANG) == 0) return true;
    id_ = -1;
    return false;
}

void process::close_pipe() {
    if (pipe_ >= 0) ::close(pipe_);
    pipe_ = -1;
}

std::vector<std::string> own_child(std::vector<std::string> const& arguments) {
    std::vector<std::string> command{std::filesystem::read_symlink("/proc/self/exe").string(), "--child"};
    command.insert(command.end(), arguments.begin(), arguments.end());
    return command;
}

}  // namespace bench
