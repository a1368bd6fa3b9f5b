#pragma once

#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "store/notifier.hpp"
#include "store/rules.hpp"
#include "store/store.hpp"

namespace minibatch::store::memory {

/// One partition: its log and its groups.
class partition {
  public:
    log_state state() const;
    append_result append(append_request const& request, time_ms now);
    seal_result seal(seal_request const& request, time_ms now);
    trim_result trim(trim_request const& request, retention const& limits, time_ms now);
    void clear();
    read_result read(std::int64_t from_number, read_limits limits) const;
    std::int64_t locate(std::int64_t offset) const;

    group_state& group(group_id const& id);
    group_state const& enroll(group_id const& id, start_position start, bool keep, time_ms now);
    bool drop(std::string const& name);
    std::map<std::string, group_state> const& groups() const noexcept { return groups_; }

  private:
    struct record {
        log::segment_ptr segment;
        std::string batch;
        std::int64_t end_bytes;
    };
    record const& at(std::int64_t number) const { return records_[static_cast<std::size_t>(number - base_)]; }
    rules::record_lookup lookup() const;
    append_result push(std::string batch, std::int64_t count, std::shared_ptr<std::string const> text, time_ms now);
    std::int64_t remove_below(std::int64_t number);

    std::deque<record> records_;
    std::int64_t base_ = 0;  // number of the first record that is there
    log_position floor_;
    std::int64_t floor_bytes_ = 0;
    std::int64_t cleared_ = 0;
    std::int64_t epoch_base_ = 0;  // of a group that is created again: beyond all that were given out
    std::map<std::string, group_state> groups_;
};

struct stream {
    stream_record record;
    std::vector<partition> partitions;
};

/// What the handles of one memory store share.
struct content {
    std::mutex mutex;
    std::map<std::int64_t, stream> streams;
    std::map<std::string, std::int64_t> names;
    std::map<std::string, std::vector<std::pair<std::string, std::string>>> collections;
    std::vector<std::weak_ptr<notifier>> handles;

    stream& find(std::int64_t incarnation);
    partition& find(log_id id);
    partition& find(std::string const& name, int number);
};

}  // namespace minibatch::store::memory
