#include "runtime/write_lane.hpp"

#include <algorithm>
#include <utility>
#include <variant>

namespace minibatch::runtime {

bool write_lane::start() noexcept {
    // Who prepares goes on with writing.
    if (writing_ || preparing_) return false;
    writing_ = true;
    return true;
}

std::shared_ptr<write_batch> write_lane::next() {
    auto batch = std::exchange(ready_, nullptr);
    if (!batch && !preparing_) batch = take();
    writing_ = batch != nullptr;
    writing_data_ = batch && batch->holds_data();
    return batch;
}

bool write_lane::written(bool stay) noexcept {
    writing_data_ = false;
    if (!nothing_left()) return true;
    writing_ = stay;
    return false;
}

bool write_lane::start_preparing() noexcept {
    // What is less than a full segment may still grow.
    if (!prepares_ || !writing_ || preparing_ || ready_ || appends_.bytes() < limits_.full_segment_bytes) return false;
    preparing_ = true;
    return true;
}

std::shared_ptr<write_batch> write_lane::take_to_prepare() { return take(); }

bool write_lane::prepared(std::shared_ptr<write_batch> batch) noexcept {
    preparing_ = false;
    ready_ = std::move(batch);
    return !nothing_left() && start();
}

std::shared_ptr<write_batch> write_lane::take() {
    auto appends = appends_.take(limits_);
    auto writes = std::exchange(writes_, {});
    if (appends.empty() && writes.empty()) return nullptr;
    return std::make_shared<write_batch>(std::move(appends), std::move(writes));
}

bool write_lane::holds_data() const noexcept {
    return !appends_.empty() || preparing_ || ready_ || writing_data_ ||
           std::ranges::any_of(writes_, [](queued_write const& item) {
               return std::holds_alternative<store::commit_request>(item.request);
           });
}

}  // namespace minibatch::runtime
