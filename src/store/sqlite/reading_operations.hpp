#pragma once

#include <functional>
#include <utility>

#include "store/fork_guard.hpp"
#include "store/sqlite/group_ops.hpp"
#include "store/sqlite/log_ops.hpp"
#include "store/sqlite/stream_ops.hpp"
#include "store/time_limit.hpp"

namespace minibatch::store::sqlite {

/// The operations that only read, for every way to open an SQLite database. `Base` is the interface they belong to.
template <class Base>
class reading_operations : public Base {
  public:
    template <class... Arguments>
    explicit reading_operations(std::shared_ptr<clock> time, Arguments&&... arguments)
        : Base(std::forward<Arguments>(arguments)...), time_(std::move(time)) {}

    time_ms now() override { return time_->system_now(); }

    std::optional<stream_record> find_stream(std::string const& name, steady_time deadline) override {
        return look_for<std::optional<stream_record>>("find stream", deadline,
                                                      [&](connection& db) { return sqlite::find_stream(db, name); });
    }
    std::vector<stream_record> list_streams(steady_time deadline) override {
        return look_for<std::vector<stream_record>>("list streams", deadline,
                                                    [](connection& db) { return sqlite::list_streams(db); });
    }
    std::vector<group_state> list_groups(std::int64_t incarnation, steady_time deadline) override {
        return look_for<std::vector<group_state>>("list groups", deadline,
                                                  [&](connection& db) { return sqlite::list_groups(db, incarnation); });
    }
    read_result read(log_id log, std::int64_t from_number, read_limits limits, steady_time deadline) override {
        return look_for<read_result>("read", deadline,
                                     [&](connection& db) { return sqlite::read(db, log, from_number, limits); });
    }
    std::int64_t locate(log_id log, std::int64_t offset, steady_time deadline) override {
        return look_for<std::int64_t>("locate", deadline,
                                      [&](connection& db) { return sqlite::locate(db, find_log(db, log), offset); });
    }
    log_state state(log_id log, steady_time deadline) override {
        return look_for<log_state>("read state", deadline, [&](connection& db) { return find_log(db, log).state; });
    }
    inspection inspect(std::span<log_id const> logs, std::span<group_id const> groups, steady_time deadline) override {
        return look_for<inspection>("inspect", deadline, [&](connection& db) {
            inspection out;
            for (auto const& id : logs) {
                auto const log = find_log_if(db, id);
                out.ends.push_back(log ? std::optional(log->state.end) : std::nullopt);
            }
            for (auto const& id : groups) out.leases.push_back(load_lease(db, id));
            return out;
        });
    }
    std::vector<std::pair<std::string, std::string>> read_collection(std::string const& name,
                                                                     steady_time deadline) override {
        using documents = std::vector<std::pair<std::string, std::string>>;
        return look_for<documents>("read collection", deadline,
                                   [&](connection& db) { return sqlite::read_collection(db, name); });
    }

    void limit_calls(steady_time latest) noexcept override { latest_ = on_this_machine(latest); }

  protected:
    using reading = std::function<void(connection&)>;
    /// Calls `work` in one read transaction, which sees one state of the database; not at all while the database has no
    /// tables. Again if that state was disturbed meanwhile.
    virtual void look(char const* operation, steady_time deadline, reading const& work) = 0;

    template <class Result, class Work>
    Result look_for(char const* operation, steady_time deadline, Work const& work) {
        Result out{};
        look(operation, deadline, [&](connection& db) { out = work(db); });
        return out;
    }

    /// Deadlines are by the clock given in the options, the waiting is done by the machine's.
    steady_time on_this_machine(steady_time deadline) const {
        auto const left = std::min<steady_time::duration>(deadline - time_->steady_now(), unlimited);
        return std::chrono::steady_clock::now() + left;
    }

    fork_guard guard_;
    std::shared_ptr<clock> time_;
    time_limit::movable latest_ = steady_time::max();
};

}  // namespace minibatch::store::sqlite
