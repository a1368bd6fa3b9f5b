#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>

#include "store/store.hpp"

namespace minibatch::store {

/// The callbacks of one handle's `watch`. Never runs two of them at the same time.
class notifier : public std::enable_shared_from_this<notifier> {
  public:
    std::unique_ptr<subscription> subscribe(std::function<void()> changed);
    void notify();

  private:
    class entry;
    // Recursive, so that a callback may end subscriptions; held while callbacks run, so that others who end one wait.
    std::recursive_mutex mutex_;
    std::map<std::uint64_t, std::shared_ptr<std::function<void()>>> callbacks_;
    std::uint64_t next_ = 1;
};

}  // namespace minibatch::store
