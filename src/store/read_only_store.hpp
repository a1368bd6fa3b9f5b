#pragma once

#include <string>

#include "store/store.hpp"

namespace minibatch::store {

/// A store that refuses, with errc::read_only, what would change the database. Derived classes read.
class read_only_store : public store {
  public:
    /// `name` stands for the database in messages.
    explicit read_only_store(std::string name) : name_(std::move(name)) {}

    /// Opens a stream that is there already, as it is asked for.
    stream_record open_stream(std::string const& name, std::optional<int> partitions, std::optional<retention> limits,
                              steady_time deadline) override;
    bool delete_stream(std::string const&, std::int64_t, steady_time) override { refuse("delete stream"); }
    void clear_stream(std::int64_t, steady_time) override { refuse("clear stream"); }
    group_state register_group(group_id const&, start_position, bool, steady_time) override {
        refuse("register group");
    }
    bool delete_group(std::int64_t, std::string const&, steady_time, std::span<partition_lease const>) override {
        refuse("delete group");
    }
    // NOLINTNEXTLINE(bugprone-exception-escape)
    void write(std::span<write_job> jobs, steady_time deadline) noexcept override;
    void maintain(steady_time) override {}

  private:
    error refusal(char const* operation) const;
    [[noreturn]] void refuse(char const* operation) const;

    std::string name_;
};

/// Reads from another store.
std::shared_ptr<store> make_read_only(std::shared_ptr<store> from, std::string name);

}  // namespace minibatch::store
