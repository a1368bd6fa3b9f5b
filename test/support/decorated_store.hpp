#pragma once

#include <string_view>
#include <utility>

#include "store/store.hpp"

namespace minibatch::test {

/// Passes every call on to another store, after `before` has been told of it.
class decorated_store : public store::store {
  protected:
    using deadline_t = minibatch::store::steady_time;
    explicit decorated_store(std::shared_ptr<minibatch::store::store> inner) : inner_(std::move(inner)) {}

    /// May throw what the call is to throw; `write` asks elsewhere.
    virtual void before(std::string_view call) = 0;

    std::shared_ptr<minibatch::store::store> const inner_;

  public:
    minibatch::store::tuning tune() const noexcept override { return inner_->tune(); }
    minibatch::store::time_ms now() override { return inner_->now(); }

    minibatch::store::stream_record open_stream(std::string const& name, std::optional<int> partitions,
                                                std::optional<minibatch::store::retention> limits,
                                                deadline_t deadline) override {
        before("open stream");
        return inner_->open_stream(name, partitions, limits, deadline);
    }
    std::optional<minibatch::store::stream_record> find_stream(std::string const& name, deadline_t deadline) override {
        before("find stream");
        return inner_->find_stream(name, deadline);
    }
    std::vector<minibatch::store::stream_record> list_streams(deadline_t deadline) override {
        before("list streams");
        return inner_->list_streams(deadline);
    }
    bool delete_stream(std::string const& name, std::int64_t incarnation, deadline_t deadline) override {
        before("delete stream");
        return inner_->delete_stream(name, incarnation, deadline);
    }
    void clear_stream(std::int64_t incarnation, deadline_t deadline) override {
        before("clear stream");
        inner_->clear_stream(incarnation, deadline);
    }
    minibatch::store::group_state register_group(minibatch::store::group_id const& group,
                                                 minibatch::store::start_position start, bool keep,
                                                 deadline_t deadline) override {
        before("register group");
        return inner_->register_group(group, start, keep, deadline);
    }
    std::vector<minibatch::store::group_state> list_groups(std::int64_t incarnation, deadline_t deadline) override {
        before("list groups");
        return inner_->list_groups(incarnation, deadline);
    }
    bool delete_group(std::int64_t incarnation, std::string const& group, deadline_t deadline,
                      std::span<minibatch::store::partition_lease const> ended = {}) override {
        before("delete group");
        return inner_->delete_group(incarnation, group, deadline, ended);
    }
    void write(std::span<minibatch::store::write_job> jobs, deadline_t deadline) noexcept override {
        inner_->write(jobs, deadline);
    }
    void prepare(minibatch::store::append_request& request) noexcept override { inner_->prepare(request); }
    std::shared_ptr<std::string const> text_as_read(minibatch::store::append_request const& written) override {
        return inner_->text_as_read(written);
    }
    minibatch::store::read_result read(minibatch::store::log_id log, std::int64_t from,
                                       minibatch::store::read_limits limits, deadline_t deadline) override {
        before("read");
        return inner_->read(log, from, limits, deadline);
    }
    std::int64_t locate(minibatch::store::log_id log, std::int64_t offset, deadline_t deadline) override {
        before("locate");
        return inner_->locate(log, offset, deadline);
    }
    minibatch::store::log_state state(minibatch::store::log_id log, deadline_t deadline) override {
        before("state");
        return inner_->state(log, deadline);
    }
    minibatch::store::inspection inspect(std::span<minibatch::store::log_id const> logs,
                                         std::span<minibatch::store::group_id const> groups,
                                         deadline_t deadline) override {
        before("inspect");
        return inner_->inspect(logs, groups, deadline);
    }
    std::vector<std::pair<std::string, std::string>> read_collection(std::string const& name,
                                                                     deadline_t deadline) override {
        before("read collection");
        return inner_->read_collection(name, deadline);
    }
    std::unique_ptr<minibatch::store::subscription> watch(std::function<void()> changed) override {
        before("watch");
        return inner_->watch(std::move(changed));
    }
    bool maintenance_due() const noexcept override { return inner_->maintenance_due(); }
    void maintain(deadline_t deadline) override {
        before("maintain");
        inner_->maintain(deadline);
    }
};

}  // namespace minibatch::test
