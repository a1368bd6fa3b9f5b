#include "store/mongo/log/log_views.hpp"

#include <algorithm>

namespace minibatch::store::mongo {

std::shared_ptr<log_view> log_views::of(log_id log) {
    std::lock_guard const lock(mutex_);
    auto& found = views_[log];
    if (!found) found = std::make_shared<log_view>();
    return found;
}

std::vector<std::pair<log_id, std::shared_ptr<log_view>>> log_views::all() {
    std::lock_guard const lock(mutex_);
    return {views_.begin(), views_.end()};
}

void log_views::forget(log_id log) {
    std::lock_guard const lock(mutex_);
    views_.erase(log);
}

std::optional<log_end> log_views::known_end(log_id log) {
    auto const view = of(log);
    std::lock_guard const lock(view->mutex);
    return view->newest;
}

bool log_views::note_record(log_id log, record_header const& record) {
    auto const view = of(log);
    // It is not known when it was the end, so it does not permit appending after it.
    auto const end = end_after(record, steady_time{});
    note_end(*view, end, std::nullopt);
    std::lock_guard const lock(view->mutex);
    return end.end.number > std::exchange(view->told, std::max(view->told, end.end.number));
}

void log_views::note_written(log_id log, log_end const& end) {
    auto unproven = end;
    unproven.learned = {};  // the transaction does not tell its time
    note_end(*of(log), unproven, std::nullopt);
}

known_since log_views::moment_of(std::optional<cluster_time> told) {
    // Where tests say what time it is, they say it for the server, too.
    if (told && !time_.real()) told = cluster_time{static_cast<std::uint32_t>(time_.now() / 1'000), 0};
    return {time_.steady_now(), told};
}

void log_views::note_end(log_view& of, log_end const& end, std::optional<cluster_time> told) {
    std::lock_guard const lock(of.mutex);
    bool const beyond = !of.newest || end.end.number > of.newest->end.number;
    if (beyond || (end.end.number == of.newest->end.number && end.learned > of.newest->learned)) of.newest = end;
    if (told) tells_time_ = true;
    if (end.learned != steady_time{} && (told || !tells_time_)) of.reached.note(end.end.number, moment_of(told));
}

}  // namespace minibatch::store::mongo
