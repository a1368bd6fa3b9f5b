#include "store/store.hpp"

namespace minibatch::store {
namespace {

class machine_clock final : public clock {
  public:
    time_ms system_now() override {
        auto const since_epoch = std::chrono::system_clock::now().time_since_epoch();
        return std::chrono::duration_cast<milliseconds>(since_epoch).count();
    }
    steady_time steady_now() override { return std::chrono::steady_clock::now(); }
};

}  // namespace

std::shared_ptr<clock> clock::real() {
    static auto const instance = std::make_shared<machine_clock>();
    return instance;
}

}  // namespace minibatch::store
