#include "runtime/pending_budget.hpp"

namespace minibatch::runtime {

std::optional<queued_append> pending_budget::admit(queued_append&& item) {
    if (!waiting_.empty() || !fits(item.bytes)) {
        waiting_.push(std::move(item));
        return std::nullopt;
    }
    used_ += item.bytes;
    return std::move(item);
}

std::optional<queued_append> pending_budget::admit_next() {
    if (waiting_.empty() || !fits(waiting_.front().bytes)) return std::nullopt;
    used_ += waiting_.front().bytes;
    return waiting_.pop();
}

}  // namespace minibatch::runtime
