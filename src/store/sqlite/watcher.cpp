#include "store/sqlite/watcher.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <system_error>
#include <utility>

#include "base/start_thread.hpp"

namespace minibatch::store::sqlite {

watcher::watcher(side_file* side, std::shared_ptr<notifier> listeners, std::function<bool()> missed)
    : side_(side), listeners_(std::move(listeners)), missed_(std::move(missed)) {
    stop_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (stop_ < 0) throw error(errc::unavailable, "watching the database: " + std::generic_category().message(errno));
    // Without inotify, whose limits may be exhausted, changes are found once a second. poll() ignores a negative
    // number.
    if (side) changes_ = ::inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    listen();
    try {
        thread_ = base::start_thread("minibatch-watch", [this] { run(); });
    } catch (...) {
        close_files();
        throw;
    }
}

watcher::~watcher() {
    ::eventfd_write(stop_, 1);
    thread_.join();
    close_files();
}

void watcher::close_files() noexcept {
    if (changes_ >= 0) ::close(changes_);
    ::close(stop_);
}

void watcher::listen() noexcept {
    if (changes_ >= 0) ::inotify_add_watch(changes_, side_->path().c_str(), IN_MODIFY);
}

void watcher::run() noexcept {
    using clock = std::chrono::steady_clock;
    using namespace std::chrono_literals;
    auto look_again = clock::now() + 1s;
    bool own = false;
    bool untold = false;
    std::array<pollfd, 2> files{{{stop_, POLLIN, 0}, {changes_, POLLIN, 0}}};
    for (;;) {
        if (own) {
            // These were our own writes. The pause keeps them from costing a wake-up each under load.
            if (::poll(files.data(), 1, 1) > 0) return;
        }
        auto const left = std::chrono::ceil<std::chrono::milliseconds>(look_again - clock::now()).count();
        ::poll(files.data(), files.size(), left > 0 ? static_cast<int>(left) : 0);
        if (files[0].revents != 0) return;
        own = false;
        bool changed = std::exchange(untold, false);
        if (files[1].revents != 0) {
            std::array<char, 4096> events;
            while (::read(changes_, events.data(), events.size()) > 0) {
            }
            changed = side_->touched_by_others() || changed;
            own = !changed;
        }
        if (clock::now() >= look_again) {
            look_again = clock::now() + 1s;
            if (side_) {
                side_->restore();
                listen();  // changes nothing for a file that is listened to already
            }
            changed = missed_() || (side_ && side_->touched_by_others()) || changed;
        }
        if (!changed) continue;
        try {
            listeners_->notify();
        } catch (...) {  // out of memory; the next look repeats it
            untold = true;
        }
    }
}

}  // namespace minibatch::store::sqlite
