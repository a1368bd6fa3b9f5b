#include "runtime/write_batch.hpp"

#include <algorithm>
#include <map>
#include <utility>
#include <variant>

namespace minibatch::runtime {

write_batch::write_batch(std::deque<queued_append> appends, std::deque<queued_write> writes)
    : appends_(std::move(appends)), writes_(std::move(writes)) {
    for (auto const& item : appends_) bytes_ += item.bytes;
    holds_data_ = !appends_.empty() || std::ranges::any_of(writes_, [](auto const& item) {
        return std::holds_alternative<store::commit_request>(item.request);
    });
}

void write_batch::join(std::size_t full_segment_bytes, batch_names& names) {
    std::map<store::log_id, std::size_t> open;  // the segment of each log that is still growing
    for (auto& item : appends_) {
        auto found = open.find(item.log);
        // What is large by itself becomes a segment as it is, uncopied.
        if (found == open.end() || segments_[found->second].text.size() >= full_segment_bytes ||
            item.bytes >= full_segment_bytes) {
            found = open.insert_or_assign(item.log, segments_.size()).first;
            segments_.emplace_back();
            store::append_request request;
            request.log = item.log;
            request.batch = names.next();
            jobs_.push_back({std::move(request), {}});
        }
        auto& target = segments_[found->second];
        target.parts.push_back({std::move(item.done), item.documents.count()});
        target.text.add(std::move(item.documents));
    }
    appends_.clear();
    for (std::size_t i = 0; i < segments_.size(); ++i) {
        auto& request = std::get<store::append_request>(jobs_[i].request);
        request.count = segments_[i].text.count();
        request.text = std::make_shared<std::string const>(segments_[i].text.finish());
    }
    for (auto& item : writes_) jobs_.push_back({std::move(item.request), {}});
}

void write_batch::prepare(store::store& database) {
    for (std::size_t i = 0; i < segments_.size(); ++i)
        database.prepare(std::get<store::append_request>(jobs_[i].request));
}

void write_batch::write(store::store& database, steady_time deadline) { database.write(jobs_, deadline); }

void write_batch::complete(store::store& database, tail& newest) {
    for (std::size_t i = 0; i < segments_.size(); ++i) {
        auto const& request = std::get<store::append_request>(jobs_[i].request);
        if (auto const* stored = std::get_if<store::append_result>(&jobs_[i].result))
            complete_stored(request, *stored, segments_[i], database, newest);
        else
            complete_failed(request, std::get<error>(jobs_[i].result), segments_[i], newest);
    }
    for (std::size_t i = 0; i < writes_.size(); ++i)
        std::move(writes_[i].done)(std::move(jobs_[segments_.size() + i].result));
}

void write_batch::complete_stored(store::append_request const& request, store::append_result const& stored, segment& of,
                                  store::store& database, tail& newest) {
    if (newest.followed(request.log)) {
        newest.publish(request.log,
                       std::make_shared<log::segment const>(stored.number, stored.first, request.count, stored.created,
                                                            database.text_as_read(request)));
    }
    auto offset = stored.first;
    for (auto& each : of.parts) {
        std::move(each.done)(std::nullopt, offset, std::string_view());
        offset += each.count;
    }
}

void write_batch::complete_failed(store::append_request const& request, error const& problem, segment& of,
                                  tail& newest) {
    if (problem.code() == errc::outcome_unknown) newest.doubt(request.log);
    log::segment const unwritten(0, 0, request.count, 0, request.text);
    std::int64_t begin = 0;
    for (auto& each : of.parts) {
        std::move(each.done)(problem, 0, unwritten.documents(begin, begin + each.count));
        begin += each.count;
    }
}

}  // namespace minibatch::runtime
