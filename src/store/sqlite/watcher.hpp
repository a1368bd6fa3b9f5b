#pragma once

#include <functional>
#include <memory>
#include <thread>

#include "store/notifier.hpp"
#include "store/sqlite/side_file.hpp"

namespace minibatch::store::sqlite {

/// The thread that waits for writes of other handles and tells the subscribers.
class watcher {
  public:
    /// `missed` is asked once a second whether the database has changed without a touch, as when a process dies
    /// between its COMMIT and the touch. Without `side` nothing else is asked.
    watcher(side_file* side, std::shared_ptr<notifier> listeners, std::function<bool()> missed);
    ~watcher();
    watcher(watcher const&) = delete;
    watcher& operator=(watcher const&) = delete;

  private:
    void listen() noexcept;
    void run() noexcept;
    void close_files() noexcept;

    side_file* side_;  // null: it is not there
    std::shared_ptr<notifier> listeners_;
    std::function<bool()> missed_;
    int changes_ = -1;  // inotify
    int stop_ = -1;     // eventfd
    std::thread thread_;
};

}  // namespace minibatch::store::sqlite
