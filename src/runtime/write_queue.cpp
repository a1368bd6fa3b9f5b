#include "runtime/write_queue.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <random>

namespace minibatch::runtime {
namespace {

/// Appends are joined until their segment is as large as this. Larger ones become segments as they are, uncopied.
constexpr std::size_t full_segment_bytes = std::size_t{64} << 10;
/// A transaction stays below this: large enough to be efficient, small enough not to hold up the next.
constexpr std::size_t max_batch_bytes = std::size_t{8} << 20;

std::string random_prefix() {
    std::random_device source;
    char text[32];
    std::snprintf(text, sizeof text, "%08x%08x-", source(), source());
    return text;
}

store::log_id log_of(store::write_request const& request) {
    return std::visit(
        [](auto const& r) {
            if constexpr (requires { r.log; })
                return r.log;
            else
                return r.group.log;
        },
        request);
}

}  // namespace

/// What goes to the store in one call. The first jobs are segments, each with the appends it is made of.
struct write_queue::batch {
    struct part {
        append_done done;
        std::int64_t count;
    };
    struct segment {
        std::vector<part> parts;
        log::segment_text text;
    };
    std::vector<store::write_job> jobs;
    std::vector<segment> segments;   // of jobs[0 … segments.size())
    std::vector<write_done> writes;  // of the jobs after those
    std::size_t bytes = 0;
};

write_queue::write_queue(environment const& env, tail& newest, std::size_t max_pending_bytes)
    : env_(env),
      newest_(newest),
      max_pending_bytes_(max_pending_bytes),
      one_lane_(env.database->scope() == store::write_scope::whole_store),
      batch_prefix_(random_prefix()) {}

store::log_id write_queue::lane_of(store::log_id log) const { return one_lane_ ? store::log_id{} : log; }

write_queue::ticket write_queue::append(store::log_id log, log::segment_text documents, append_done done) {
    std::unique_lock lock(mutex_);
    if (closed_) {
        lock.unlock();
        std::move(done)(error(errc::closed, "the database handle is closed"), 0, documents.lines());
        return 0;
    }
    auto const id = next_ticket_++;
    auto const bytes = documents.size();
    waiting_append item{id, log, std::move(documents), std::move(done), env_.deadline(), bytes};
    if (!blocked_.empty() || (pending_bytes_ > 0 && pending_bytes_ + bytes > max_pending_bytes_)) {
        blocked_.push_back(std::move(item));
    } else {
        pending_bytes_ += bytes;
        auto const key = lane_of(log);
        auto& target = lanes_[key];
        target.appends.push_back(std::move(item));
        start(key, target);
    }
    if (!watchdog_) watch_deadlines(env_.deadline());
    return id;
}

bool write_queue::cancel(ticket which) {
    append_done dropped;  // destroyed outside the lock
    std::lock_guard const lock(mutex_);
    auto const take = [&](std::deque<waiting_append>& from) {
        auto const found = std::find_if(from.begin(), from.end(), [&](auto const& item) { return item.id == which; });
        if (found == from.end()) return false;
        dropped = std::move(found->done);
        if (&from != &blocked_) pending_bytes_ -= found->bytes;
        from.erase(found);
        return true;
    };
    auto const taken = take(blocked_) || std::any_of(lanes_.begin(), lanes_.end(),
                                                     [&](auto& entry) { return take(entry.second.appends); });
    if (taken) admit();
    return taken;
}

void write_queue::submit(store::write_request request, write_done done) {
    std::vector<std::pair<store::write_request, write_done>> one;
    one.emplace_back(std::move(request), std::move(done));
    submit_all(std::move(one));
}

void write_queue::submit_all(std::vector<std::pair<store::write_request, write_done>>&& requests) {
    std::lock_guard const lock(mutex_);
    // All are queued before the first is started, so that they share one write.
    std::vector<store::log_id> touched;
    for (auto& [request, done] : requests) {
        auto const key = lane_of(log_of(request));
        lanes_[key].writes.push_back({std::move(request), std::move(done)});
        if (std::find(touched.begin(), touched.end(), key) == touched.end()) touched.push_back(key);
    }
    for (auto const& key : touched) start(key, lanes_[key]);
}

void write_queue::close() {
    std::lock_guard const lock(mutex_);
    closed_ = true;
}

bool write_queue::idle() const {
    std::lock_guard const lock(mutex_);
    return blocked_.empty() && std::all_of(lanes_.begin(), lanes_.end(), [](auto const& entry) {
               return !entry.second.writing && entry.second.appends.empty() && entry.second.writes.empty();
           });
}

void write_queue::start(store::log_id key, lane& of) {
    if (of.writing) return;
    of.writing = true;
    asio::post(env_.workers, [self = shared_from_this(), key] { self->work(key); });
}

void write_queue::work(store::log_id key) {
    batch items;
    {
        std::lock_guard const lock(mutex_);
        auto& from = lanes_[key];
        if (!take(from, items)) {
            from.writing = false;
            return;
        }
    }
    write(items);
    {
        std::lock_guard const lock(mutex_);
        pending_bytes_ -= items.bytes;
        admit();
        auto& from = lanes_[key];
        if (from.appends.empty() && from.writes.empty()) {
            from.writing = false;
            return;
        }
    }
    // A new task for the next batch, so that reads waiting for a worker get their turn.
    asio::post(env_.workers, [self = shared_from_this(), key] { self->work(key); });
}

/// Queues the appends that waited for room where there is some now. Called with the mutex held.
void write_queue::admit() {
    while (!blocked_.empty() &&
           (pending_bytes_ == 0 || pending_bytes_ + blocked_.front().bytes <= max_pending_bytes_)) {
        auto const key = lane_of(blocked_.front().log);
        auto& target = lanes_[key];
        pending_bytes_ += blocked_.front().bytes;
        target.appends.push_back(std::move(blocked_.front()));
        blocked_.pop_front();
        start(key, target);
    }
}

bool write_queue::take(lane& from, batch& into) {
    std::map<store::log_id, std::size_t> open;  // which segment of the batch is still growing
    while (!from.appends.empty() && into.bytes < max_batch_bytes) {
        auto& item = from.appends.front();
        auto found = open.find(item.log);
        if (found == open.end() || into.segments[found->second].text.size() >= full_segment_bytes ||
            item.bytes >= full_segment_bytes) {
            found = open.insert_or_assign(item.log, into.segments.size()).first;
            into.segments.emplace_back();
            store::append_request request;
            request.log = item.log;
            request.batch = batch_prefix_ + std::to_string(next_batch_++);
            into.jobs.push_back({std::move(request), {}});
        }
        auto& segment = into.segments[found->second];
        segment.parts.push_back({std::move(item.done), item.documents.count()});
        segment.text.add(std::move(item.documents));
        into.bytes += item.bytes;
        from.appends.pop_front();
    }
    for (; !from.writes.empty(); from.writes.pop_front()) {
        into.jobs.push_back({std::move(from.writes.front().request), {}});
        into.writes.push_back(std::move(from.writes.front().done));
    }
    return !into.jobs.empty();
}

void write_queue::write(batch& items) {
    for (std::size_t i = 0; i < items.segments.size(); ++i) {
        auto& request = std::get<store::append_request>(items.jobs[i].request);
        request.count = items.segments[i].text.count();
        request.text = std::make_shared<std::string const>(items.segments[i].text.finish());
    }
    env_.database->write(items.jobs, env_.deadline());
    if (maintenance_due_ && env_.database->maintenance_due()) maintenance_due_();
    for (std::size_t i = 0; i < items.segments.size(); ++i) {
        auto const& request = std::get<store::append_request>(items.jobs[i].request);
        if (auto const* stored = std::get_if<store::append_result>(&items.jobs[i].result)) {
            if (newest_.followed(request.log)) {
                newest_.publish(request.log,
                                std::make_shared<log::segment const>(stored->number, stored->first, request.count,
                                                                     stored->created, request.text));
            }
            auto offset = stored->first;
            for (auto& part : items.segments[i].parts) {
                std::move(part.done)(std::nullopt, offset, std::string_view());
                offset += part.count;
            }
        } else {
            auto const problem = std::get<error>(items.jobs[i].result);
            if (problem.code() == errc::outcome_unknown) newest_.doubt(request.log);
            log::segment const unwritten(0, 0, request.count, 0, request.text);
            std::int64_t begin = 0;
            for (auto& part : items.segments[i].parts) {
                std::move(part.done)(problem, 0, unwritten.documents(begin, begin + part.count));
                begin += part.count;
            }
        }
    }
    for (std::size_t i = 0; i < items.writes.size(); ++i) {
        std::move(items.writes[i])(std::move(items.jobs[items.segments.size() + i].result));
    }
}

void write_queue::watch_deadlines(steady_time first) {
    watchdog_ = env_.time->at(first + milliseconds(1), [weak = weak_from_this()] {
        if (auto const self = weak.lock()) self->expire();
    });
}

void write_queue::expire() {
    std::vector<waiting_append> late;
    {
        std::lock_guard const lock(mutex_);
        watchdog_.reset();
        auto const now = env_.time->now();
        auto const collect = [&](std::deque<waiting_append>& from, bool counted) {
            for (; !from.empty() && from.front().deadline <= now; from.pop_front()) {
                if (counted) pending_bytes_ -= from.front().bytes;
                late.push_back(std::move(from.front()));
            }
        };
        collect(blocked_, false);
        for (auto& [key, entry] : lanes_) collect(entry.appends, true);
        admit();
        // Each queue is in the order of the deadlines.
        std::optional<steady_time> first;
        auto const look = [&](std::deque<waiting_append> const& at) {
            if (!at.empty()) first = std::min(first.value_or(at.front().deadline), at.front().deadline);
        };
        look(blocked_);
        for (auto const& [key, entry] : lanes_) look(entry.appends);
        if (first) watch_deadlines(*first);
    }
    for (auto& item : late) {
        std::move(item.done)(error(errc::timeout, "the append was not handed to the database within its time-out"), 0,
                             item.documents.lines());
    }
}

}  // namespace minibatch::runtime
