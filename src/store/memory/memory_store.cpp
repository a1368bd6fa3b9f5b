#include "store/memory/memory_store.hpp"

#include <algorithm>
#include <utility>

#include "base/current_error.hpp"
#include "store/fork_guard.hpp"
#include "store/memory/content.hpp"
#include "store/names.hpp"
#include "store/rules.hpp"

namespace minibatch::store {
namespace {

using memory::content;

class memory_store final : public store {
  public:
    memory_store(std::shared_ptr<content> shared, open_options const& options)
        : content_(std::move(shared)), time_(options.time) {
        std::lock_guard const lock(content_->mutex);
        std::erase_if(content_->handles, [](auto const& handle) { return handle.expired(); });
        content_->handles.push_back(watchers_);
    }

    time_ms now() override { return time_->system_now(); }

    stream_record open_stream(std::string const& name, std::optional<int> partitions, std::optional<retention> limits,
                              steady_time) override {
        rules::check_stream(name, partitions, limits);
        auto const lock = enter();
        auto const [found, created] = content_->names.try_emplace(name, 0);
        if (created) {
            found->second = new_incarnation();
            auto& made = content_->streams[found->second];
            made.record = {name, found->second, partitions.value_or(1), limits.value_or(retention{})};
            made.partitions.resize(static_cast<std::size_t>(made.record.partitions));
            return made.record;
        }
        auto& record = content_->find(found->second).record;
        if (partitions && *partitions != record.partitions)
            throw error(errc::partition_mismatch, "stream '" + name + "' has " + std::to_string(record.partitions) +
                                                      " partitions, not " + std::to_string(*partitions));
        if (limits) record.limits = *limits;
        return record;
    }

    std::optional<stream_record> find_stream(std::string const& name, steady_time) override {
        auto const lock = enter();
        auto const found = content_->names.find(name);
        if (found == content_->names.end()) return std::nullopt;
        return content_->find(found->second).record;
    }

    std::vector<stream_record> list_streams(steady_time) override {
        auto const lock = enter();
        std::vector<stream_record> out;
        for (auto const& [name, incarnation] : content_->names) out.push_back(content_->find(incarnation).record);
        return out;
    }

    bool delete_stream(std::string const& name, std::int64_t incarnation, steady_time) override {
        {
            auto const lock = enter();
            auto const found = content_->names.find(name);
            if (found == content_->names.end() || found->second != incarnation) return false;
            content_->streams.erase(incarnation);
            content_->names.erase(found);
        }
        tell_others();
        return true;
    }

    void clear_stream(std::int64_t incarnation, steady_time) override {
        {
            auto const lock = enter();
            for (auto& partition : content_->find(incarnation).partitions) partition.clear();
        }
        tell_others();
    }

    group_state register_group(group_id const& group, start_position start, bool keep, steady_time) override {
        check_name("group", group.group);
        auto const lock = enter();
        return content_->find(group.log).enroll(group, start, keep, now());
    }

    std::vector<group_state> list_groups(std::int64_t incarnation, steady_time) override {
        auto const lock = enter();
        std::vector<group_state> out;
        for (auto const& partition : content_->find(incarnation).partitions)
            for (auto const& [name, group] : partition.groups()) out.push_back(group);
        std::stable_sort(out.begin(), out.end(), [](auto const& a, auto const& b) { return a.id.group < b.id.group; });
        return out;
    }

    bool delete_group(std::int64_t incarnation, std::string const& group, steady_time,
                      std::span<partition_lease const> ended) override {
        bool found = false;
        {
            auto const lock = enter();
            auto& partitions = content_->find(incarnation).partitions;
            for (auto const& partition : partitions)
                if (auto const it = partition.groups().find(group);
                    it != partition.groups().end() && rules::in_use(it->second, ended))
                    throw error(errc::group_in_use, "group '" + group + "' is in use by " + it->second.held.owner);
            for (auto& partition : partitions) found = partition.drop(group) || found;
        }
        if (found) tell_others();
        return found;
    }

    void write(std::span<write_job> jobs, steady_time) noexcept override {
        try {
            guard_.check();
            {
                std::lock_guard const lock(content_->mutex);
                for (auto& job : jobs) carry_out(job);
            }
            tell_others();
        } catch (...) {
            refuse(jobs, base::current_error("write"));
        }
    }

    read_result read(log_id log, std::int64_t from_number, read_limits limits, steady_time) override {
        auto const lock = enter();
        return content_->find(log).read(from_number, limits);
    }
    std::int64_t locate(log_id log, std::int64_t offset, steady_time) override {
        auto const lock = enter();
        return content_->find(log).locate(offset);
    }
    log_state state(log_id log, steady_time) override {
        auto const lock = enter();
        return content_->find(log).state();
    }

    inspection inspect(std::span<log_id const> logs, std::span<group_id const> groups, steady_time) override {
        auto const lock = enter();
        auto const partition = [this](log_id const& id) -> memory::partition* {
            return content_->streams.contains(id.incarnation) ? &content_->find(id) : nullptr;
        };
        inspection out;
        for (auto const& id : logs) {
            auto const* const log = partition(id);
            out.ends.push_back(log ? std::optional(log->state().end) : std::nullopt);
        }
        for (auto const& id : groups) {
            auto* const log = partition(id.log);
            bool const there = log && log->groups().contains(id.group);
            out.leases.push_back(there ? std::optional(log->group(id).held) : std::nullopt);
        }
        return out;
    }

    std::vector<std::pair<std::string, std::string>> read_collection(std::string const& name, steady_time) override {
        auto const lock = enter();
        auto const found = content_->collections.find(name);
        if (found == content_->collections.end()) return {};
        return found->second;
    }

    std::unique_ptr<subscription> watch(std::function<void()> changed) override {
        guard_.check();
        return watchers_->subscribe(std::move(changed));
    }

    void maintain(steady_time) override { guard_.check(); }

  private:
    std::unique_lock<std::mutex> enter() {
        guard_.check();
        return std::unique_lock(content_->mutex);
    }

    void tell_others() {
        std::vector<std::shared_ptr<notifier>> others;
        {
            std::lock_guard const lock(content_->mutex);
            for (auto const& handle : content_->handles)
                if (auto const other = handle.lock(); other && other != watchers_) others.push_back(other);
        }
        for (auto const& other : others) other->notify();
    }

    static void refuse(std::span<write_job> jobs, error const& why) {
        for (auto& job : jobs)
            if (std::holds_alternative<std::monostate>(job.result)) job.result = why;
    }

    void carry_out(write_job& job) {
        try {
            job.result =
                std::visit([this](auto const& request) -> write_result { return apply(request); }, job.request);
        } catch (...) {
            job.result = base::current_error("write");
        }
    }

    write_result apply(append_request const& request) { return content_->find(request.log).append(request, now()); }
    write_result apply(seal_request const& request) { return content_->find(request.log).seal(request, now()); }
    write_result apply(trim_request const& request) {
        auto const& limits = content_->find(request.log.incarnation).record.limits;
        return content_->find(request.log).trim(request, limits, now());
    }
    group_state& group(group_id const& id) { return content_->find(id.log).group(id); }
    write_result apply(acquire_request const& request) { return rules::acquire(group(request.group), request, now()); }
    write_result apply(renew_request const& request) {
        rules::renew(group(request.group), request, now());
        return done{};
    }
    write_result apply(release_request const& request) {
        rules::release(group(request.group), request);
        return done{};
    }
    write_result apply(commit_request const& request) {
        auto& stored = group(request.group);
        auto changed = stored;
        if (!rules::commit(changed, request)) return done{};
        // Everything that can be refused is looked at before anything changes.
        for (auto const& write : request.writes)
            if (write.what == document_write::kind::append) content_->find(write.target, write.partition);
        for (auto const& write : request.writes) carry_out(write);
        stored = std::move(changed);
        return done{};
    }

    void carry_out(document_write const& write) {
        if (write.what == document_write::kind::append) {
            append_request request;
            request.count = 1;
            request.text = std::make_shared<std::string const>("[" + write.document + "]");
            content_->find(write.target, write.partition).append(request, now());
            return;
        }
        auto& documents = content_->collections[write.target];
        if (write.what == document_write::kind::upsert)
            for (auto& [key, document] : documents)
                if (key == write.key) {
                    document = write.document;
                    return;
                }
        bool const keyed = write.what == document_write::kind::upsert;
        documents.emplace_back(keyed ? write.key : std::string(), write.document);
    }

    fork_guard guard_;
    std::shared_ptr<content> content_;
    std::shared_ptr<clock> time_;
    std::shared_ptr<notifier> watchers_ = std::make_shared<notifier>();
};

}  // namespace

std::shared_ptr<store> open_memory(std::string const& name, open_options const& options) {
    static std::mutex mutex;
    static std::map<std::string, std::weak_ptr<content>> registry;
    if (name.empty()) return std::make_shared<memory_store>(std::make_shared<content>(), options);
    std::lock_guard const lock(mutex);
    std::erase_if(registry, [](auto const& entry) { return entry.second.expired(); });
    auto& known = registry[name];
    auto shared = known.lock();
    if (!shared) known = shared = std::make_shared<content>();
    return std::make_shared<memory_store>(std::move(shared), options);
}

}  // namespace minibatch::store
