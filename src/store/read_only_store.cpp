#include "store/read_only_store.hpp"

#include <utility>

#include "store/rules.hpp"

namespace minibatch::store {
namespace {

class read_only_view final : public read_only_store {
  public:
    read_only_view(std::shared_ptr<store> from, std::string name)
        : read_only_store(std::move(name)), from_(std::move(from)) {}

    tuning tune() const noexcept override { return from_->tune(); }
    time_ms now() override { return from_->now(); }
    std::optional<stream_record> find_stream(std::string const& name, steady_time deadline) override {
        return from_->find_stream(name, deadline);
    }
    std::vector<stream_record> list_streams(steady_time deadline) override { return from_->list_streams(deadline); }
    std::vector<group_state> list_groups(std::int64_t incarnation, steady_time deadline) override {
        return from_->list_groups(incarnation, deadline);
    }
    read_result read(log_id log, std::int64_t from_number, read_limits limits, steady_time deadline) override {
        return from_->read(log, from_number, limits, deadline);
    }
    std::int64_t locate(log_id log, std::int64_t offset, steady_time deadline) override {
        return from_->locate(log, offset, deadline);
    }
    log_state state(log_id log, steady_time deadline) override { return from_->state(log, deadline); }
    inspection inspect(std::span<log_id const> logs, std::span<group_id const> groups, steady_time deadline) override {
        return from_->inspect(logs, groups, deadline);
    }
    std::vector<std::pair<std::string, std::string>> read_collection(std::string const& name,
                                                                     steady_time deadline) override {
        return from_->read_collection(name, deadline);
    }
    std::unique_ptr<subscription> watch(std::function<void()> changed) override {
        return from_->watch(std::move(changed));
    }
    void limit_calls(steady_time latest) noexcept override { from_->limit_calls(latest); }

  private:
    std::shared_ptr<store> from_;
};

}  // namespace

stream_record read_only_store::open_stream(std::string const& name, std::optional<int> partitions,
                                           std::optional<retention> limits, steady_time deadline) {
    rules::check_stream(name, partitions, limits);
    auto found = find_stream(name, deadline);
    if (!found) refuse("create stream");
    if (partitions && *partitions != found->partitions)
        throw error(errc::partition_mismatch, "stream '" + name + "' has " + std::to_string(found->partitions) +
                                                  " partitions, not " + std::to_string(*partitions));
    if (limits && *limits != found->limits) refuse("change stream");
    return std::move(*found);
}

// NOLINTNEXTLINE(bugprone-exception-escape): without memory to tell of a failure there is no way on.
void read_only_store::write(std::span<write_job> jobs, steady_time) noexcept {
    for (auto& job : jobs)
        job.result = refusal(std::holds_alternative<append_request>(job.request) ? "append" : "write");
}

error read_only_store::refusal(char const* operation) const {
    return error(errc::read_only, "database '" + name_ + "', " + operation + ": it was opened to be read only");
}

void read_only_store::refuse(char const* operation) const { throw error(refusal(operation)); }

std::shared_ptr<store> make_read_only(std::shared_ptr<store> from, std::string name) {
    return std::make_shared<read_only_view>(std::move(from), std::move(name));
}

}  // namespace minibatch::store
