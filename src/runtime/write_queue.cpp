#include "runtime/write_queue.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <random>

namespace minibatch::runtime {
namespace {

/// A transaction stays below this: large enough to be efficient, small enough not to hold up the next.
constexpr std::size_t max_batch_bytes = std::size_t{8} << 20;

std::string random_prefix() {
    std::random_device source;
    char text[32];
    std::snprintf(text, sizeof text, "%08x%08x-", source(), source());
    return text;
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
      one_lane_(env.database->tune().scope == store::write_scope::whole_store),
      full_segment_bytes_(env.database->tune().full_segment_bytes),
      prepares_(env.database->tune().prepares),
      batch_prefix_(random_prefix()) {}

write_queue::lane_key write_queue::lane_of_appends(store::log_id log) const {
    return one_lane_ ? lane_key{} : lane_key{lane_key::kind::log, log, {}};
}

write_queue::lane_key write_queue::lane_of(store::write_request const& request) const {
    if (one_lane_) return {};
    return std::visit(
        [](auto const& r) -> lane_key {
            using type = std::decay_t<decltype(r)>;
            if constexpr (std::is_same_v<type, store::renew_request>)
                return {};
            else if constexpr (std::is_same_v<type, store::trim_request>)
                return {lane_key::kind::trims, r.log, {}};
            else if constexpr (requires { r.log; })
                return {lane_key::kind::log, r.log, {}};
            else
                return {lane_key::kind::group, r.group.log, r.group.group};
        },
        request);
}

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
        auto const key = lane_of_appends(log);
        auto& target = lanes_[key];
        target.appends.push_back(std::move(item));
        target.bytes += bytes;
        start(key, target);
        prepare_next(key, target);
    }
    if (!watchdog_) watch_deadlines(env_.deadline());
    return id;
}

bool write_queue::cancel(ticket which) {
    append_done dropped;  // destroyed outside the lock
    std::lock_guard const lock(mutex_);
    auto const take = [&](std::deque<waiting_append>& from, std::size_t* bytes) {
        auto const found = std::find_if(from.begin(), from.end(), [&](auto const& item) { return item.id == which; });
        if (found == from.end()) return false;
        dropped = std::move(found->done);
        if (bytes) {
            pending_bytes_ -= found->bytes;
            *bytes -= found->bytes;
        }
        from.erase(found);
        return true;
    };
    auto const taken = take(blocked_, nullptr) || std::any_of(lanes_.begin(), lanes_.end(), [&](auto& entry) {
                           return take(entry.second.appends, &entry.second.bytes);
                       });
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
    std::vector<std::map<lane_key, lane>::value_type*> touched;
    for (auto& [request, done] : requests) {
        auto& target = *lanes_.try_emplace(lane_of(request)).first;
        target.second.writes.push_back({std::move(request), std::move(done)});
        if (std::find(touched.begin(), touched.end(), &target) == touched.end()) touched.push_back(&target);
    }
    for (auto* const target : touched) start(target->first, target->second);
}

void write_queue::close() {
    std::lock_guard const lock(mutex_);
    closed_ = true;
}

bool write_queue::idle() const {
    std::lock_guard const lock(mutex_);
    return blocked_.empty() && std::all_of(lanes_.begin(), lanes_.end(), [](auto const& entry) {
               return !entry.second.writing && entry.second.resting();
           });
}

std::size_t write_queue::lanes() const {
    std::lock_guard const lock(mutex_);
    return lanes_.size();
}

void write_queue::start(lane_key const& key, lane& of) {
    if (of.writing || of.preparing) return;
    of.writing = true;
    asio::post(env_.workers, [self = shared_from_this(), key] { self->work(key); });
}

/// A lane has nothing to do any more. The common one, which may be all there is, is kept for the next time; of others
/// there may be ever new ones. Called with the mutex held.
void write_queue::rest(lane_key const& key) {
    if (key.what == lane_key::kind::common)
        lanes_[key].writing = false;
    else
        lanes_.erase(key);
}

void write_queue::work(lane_key const& key) {
    std::shared_ptr<batch> items;
    {
        std::lock_guard const lock(mutex_);
        auto& from = lanes_[key];
        items = std::exchange(from.ready, nullptr);
        if (!items && from.preparing) {
            from.writing = false;  // who prepares goes on
            return;
        }
        if (!items) {
            items = std::make_shared<batch>();
            if (!take(from, *items)) return rest(key);
        }
        prepare_next(key, from);
    }
    finish(*items);
    write(*items);
    {
        std::lock_guard const lock(mutex_);
        pending_bytes_ -= items->bytes;
        admit();
        if (lanes_[key].resting()) return rest(key);
    }
    // A new task for the next batch, so that reads waiting for a worker get their turn.
    asio::post(env_.workers, [self = shared_from_this(), key] { self->work(key); });
}

/// While one segment is written, the next full one is made ready; what is less may still grow. Called with the mutex
/// held.
void write_queue::prepare_next(lane_key const& key, lane& of) {
    if (!prepares_ || !of.writing || of.preparing || of.ready || of.bytes < full_segment_bytes_) return;
    of.preparing = true;
    asio::post(env_.workers, [self = shared_from_this(), key] { self->prepare(key); });
}

void write_queue::prepare(lane_key const& key) {
    auto const items = std::make_shared<batch>();
    {
        std::lock_guard const lock(mutex_);
        take(lanes_[key], *items);
    }
    finish(*items);
    for (std::size_t i = 0; i < items->segments.size(); ++i)
        env_.database->prepare(std::get<store::append_request>(items->jobs[i].request));
    {
        std::lock_guard const lock(mutex_);
        auto& of = lanes_[key];
        of.preparing = false;
        if (!items->jobs.empty()) of.ready = items;
        if (of.writing) return;
        if (of.resting()) return rest(key);
        of.writing = true;
    }
    work(key);
}

/// Queues the appends that waited for room where there is some now. Called with the mutex held.
void write_queue::admit() {
    while (!blocked_.empty() &&
           (pending_bytes_ == 0 || pending_bytes_ + blocked_.front().bytes <= max_pending_bytes_)) {
        auto const key = lane_of_appends(blocked_.front().log);
        auto& target = lanes_[key];
        pending_bytes_ += blocked_.front().bytes;
        target.bytes += blocked_.front().bytes;
        target.appends.push_back(std::move(blocked_.front()));
        blocked_.pop_front();
        start(key, target);
        prepare_next(key, target);
    }
}

bool write_queue::take(lane& from, batch& into) {
    std::map<store::log_id, std::size_t> open;  // which segment of the batch is still growing
    while (!from.appends.empty() && into.bytes < max_batch_bytes) {
        auto& item = from.appends.front();
        // One at a time, if the next one is prepared meanwhile.
        if (prepares_ && !into.segments.empty() &&
            std::max(into.segments.back().text.size(), item.bytes) >= full_segment_bytes_)
            break;
        auto found = open.find(item.log);
        // What is large by itself becomes a segment as it is, uncopied.
        if (found == open.end() || into.segments[found->second].text.size() >= full_segment_bytes_ ||
            item.bytes >= full_segment_bytes_) {
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
        from.bytes -= item.bytes;
        from.appends.pop_front();
    }
    for (; !from.writes.empty(); from.writes.pop_front()) {
        into.jobs.push_back({std::move(from.writes.front().request), {}});
        into.writes.push_back(std::move(from.writes.front().done));
    }
    return !into.jobs.empty();
}

/// Puts the texts of the segments in place, once.
void write_queue::finish(batch& items) {
    for (std::size_t i = 0; i < items.segments.size(); ++i) {
        auto& request = std::get<store::append_request>(items.jobs[i].request);
        if (request.text) continue;
        request.count = items.segments[i].text.count();
        request.text = std::make_shared<std::string const>(items.segments[i].text.finish());
    }
}

void write_queue::write(batch& items) {
    env_.database->write(items.jobs, env_.deadline());
    if (maintenance_due_ && env_.database->maintenance_due()) maintenance_due_();
    for (std::size_t i = 0; i < items.segments.size(); ++i) {
        auto const& request = std::get<store::append_request>(items.jobs[i].request);
        if (auto const* stored = std::get_if<store::append_result>(&items.jobs[i].result)) {
            if (newest_.followed(request.log)) {
                newest_.publish(request.log, std::make_shared<log::segment const>(
                                                 stored->number, stored->first, request.count, stored->created,
                                                 env_.database->text_as_read(request)));
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
        auto const collect = [&](std::deque<waiting_append>& from, std::size_t* bytes) {
            for (; !from.empty() && from.front().deadline <= now; from.pop_front()) {
                if (bytes) {
                    pending_bytes_ -= from.front().bytes;
                    *bytes -= from.front().bytes;
                }
                late.push_back(std::move(from.front()));
            }
        };
        collect(blocked_, nullptr);
        for (auto& [key, entry] : lanes_) collect(entry.appends, &entry.bytes);
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
