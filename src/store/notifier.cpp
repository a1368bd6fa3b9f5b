#include "store/notifier.hpp"

#include <utility>

namespace minibatch::store {

class notifier::entry final : public subscription {
  public:
    entry(std::shared_ptr<notifier> owner, std::uint64_t id) : owner_(std::move(owner)), id_(id) {}
    ~entry() override {
        std::lock_guard const lock(owner_->mutex_);
        owner_->callbacks_.erase(id_);
    }

  private:
    std::shared_ptr<notifier> owner_;
    std::uint64_t id_;
};

std::unique_ptr<subscription> notifier::subscribe(std::function<void()> changed) {
    std::lock_guard const lock(mutex_);
    auto const id = next_++;
    callbacks_.emplace(id, std::make_shared<std::function<void()>>(std::move(changed)));
    return std::make_unique<entry>(shared_from_this(), id);
}

void notifier::notify() {
    std::lock_guard const lock(mutex_);
    for (std::uint64_t after = 0;;) {
        auto const next = callbacks_.upper_bound(after);
        if (next == callbacks_.end()) return;
        after = next->first;
        auto const callback = next->second;  // survives its own removal
        (*callback)();
    }
}

}  // namespace minibatch::store
