#include <algorithm>
#include <boost/asio/post.hpp>

#include "runtime/write_queue.hpp"

/// What becomes of the queued writes: lanes at work, and the batches that they hand to the store.
namespace minibatch::runtime {
namespace {

/// A transaction stays below this: large enough to be efficient, small enough not to hold up the next.
constexpr std::size_t max_batch_bytes = std::size_t{8} << 20;

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

    bool owed() const {
        return !segments.empty() || std::any_of(jobs.begin(), jobs.end(), [](auto const& job) {
            return std::holds_alternative<store::commit_request>(job.request);
        });
    }
};

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
        from.owed = items->owed();
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

}  // namespace minibatch::runtime
