#include "store/mongo/mongo_store.hpp"

#include <utility>

#include "store/fork_guard.hpp"
#include "store/mongo/changes/changes.hpp"
#include "store/mongo/groups/group_commits.hpp"
#include "store/mongo/log/log_reader.hpp"
#include "store/mongo/log/trimming.hpp"
#include "store/mongo/streams/stream_remover.hpp"
#include "store/mongo/wire/collections.hpp"
#include "store/mongo/wire/server_traits.hpp"
#include "store/names.hpp"
#include "store/rules.hpp"
#include "store/time_limit.hpp"

namespace minibatch::store {
namespace mongo {
namespace {

/// How often the estimate of the server's clock is corrected.
constexpr std::chrono::minutes clock_period{10};

/// The parts of the store, which belong to the process that opened the database.
struct parts {
    parts(settings how, open_options const& options)
        : clients(std::move(how), options.on_command), clock(options.time) {}
    /// Sets up what depends on the server.
    void begin(server_traits const& server, log_callback log) {
        clients.set_sharded(server.sharded);
        clock.set(server.local_time, server.asked, server.answered);
        commits.emplace(groups, revisions_known, server.transactions);
        watching.emplace(lookup, leases, listeners, server.transactions, std::move(log));
    }

    client_pool clients;
    database_clock clock;
    log_views views{clock};
    log_lookup lookup{clients, views};
    log_reader reader{lookup};
    log_writer writer{lookup};
    group_table groups{clients, lookup};
    revisions revisions_known;
    lease_table leases{groups, revisions_known};
    std::optional<group_commits> commits;
    stream_table streams{lookup};
    stream_remover remover{streams, groups, writer};
    std::shared_ptr<notifier> listeners = std::make_shared<notifier>();
    std::optional<changes> watching;  // last: its thread uses the others
};

/// One call of the store, with its deadline.
struct call {
    call(parts& with, steady_time until, time_limit::movable const& latest)
        : own(with), deadline(own.clock.on_this_machine(until)), bounds_(deadline, &latest) {}

    parts& own;
    steady_time const deadline;  // by the machine's clock

  private:
    time_limit bounds_;
};

class mongo_store final : public store {
  public:
    mongo_store(settings how, open_options const& options)
        : log_(options.log), parts_(std::make_unique<parts>(std::move(how), options)) {
        auto const deadline = std::chrono::steady_clock::now() + options.timeout;
        auto& own = *parts_;
        auto const server = greet(own.clients, deadline);
        check_rights(own.clients, deadline);
        own.begin(server, options.log);
        clock_set_ = std::chrono::steady_clock::now();
    }

    ~mongo_store() override {
        // After fork the connections belong to the parent: the child leaves them alone.
        if (guard_.forked()) static_cast<void>(parts_.release());
    }

    tuning tune() const noexcept override {
        tuning out;
        out.scope = write_scope::log;
        // Each call is a round trip, so segments are larger than on a local disk.
        out.full_segment_bytes = std::size_t{1} << 20;
        out.read_ahead_bytes = std::size_t{4} << 20;
        out.prepares = true;
        // Removal waits for `removal_delay` anyway.
        out.trim_records = 8'192;
        out.trim_delay = milliseconds(5'000);
        // It is compared with the clock of the server, inside the update that acquires.
        out.expiry_counts = true;
        return out;
    }
    time_ms now() override { return parts_->clock.now(); }

    stream_record open_stream(std::string const& name, std::optional<int> partitions, std::optional<retention> limits,
                              steady_time deadline) override {
        rules::check_stream(name, partitions, limits);
        auto const in = begin(deadline);
        return in.own.streams.open(name, partitions, limits, in.deadline);
    }
    std::optional<stream_record> find_stream(std::string const& name, steady_time deadline) override {
        auto const in = begin(deadline);
        return in.own.streams.find(name, in.deadline);
    }
    std::vector<stream_record> list_streams(steady_time deadline) override {
        auto const in = begin(deadline);
        return in.own.streams.list(in.deadline);
    }
    bool delete_stream(std::string const& name, std::int64_t incarnation, steady_time deadline) override {
        auto const in = begin(deadline);
        return in.own.remover.drop(name, incarnation, in.deadline);
    }
    void clear_stream(std::int64_t incarnation, steady_time deadline) override {
        auto const in = begin(deadline);
        auto const stream = in.own.streams.known(incarnation, in.deadline);
        for (int partition = 0; partition < stream.partitions; ++partition)
            clear(in.own.lookup, {incarnation, partition}, in.deadline);
    }

    group_state register_group(group_id const& group, start_position start, bool keep, steady_time deadline) override {
        check_name("group", group.group);
        auto const in = begin(deadline);
        check(in, group.log);
        return in.own.groups.enroll(group, start, keep, in.deadline);
    }
    std::vector<group_state> list_groups(std::int64_t incarnation, steady_time deadline) override {
        auto const in = begin(deadline);
        auto const stream = in.own.streams.known(incarnation, in.deadline);
        return in.own.groups.list(incarnation, stream.partitions, in.deadline);
    }
    bool delete_group(std::int64_t incarnation, std::string const& group, steady_time deadline,
                      std::span<partition_lease const> ended) override {
        auto const in = begin(deadline);
        auto const stream = in.own.streams.known(incarnation, in.deadline);
        return in.own.groups.drop(incarnation, stream.partitions, group, in.deadline, ended);
    }

    // Without memory for a list of the jobs there is none for their errors: the program ends.
    // NOLINTNEXTLINE(bugprone-exception-escape)
    void write(std::span<write_job> jobs, steady_time deadline) noexcept override {
        std::vector<write_job*> all;
        for (auto& job : jobs) all.push_back(&job);
        guarded(all, [&] {
            auto const in = begin(deadline);
            std::vector<write_job*> renewals;
            for (auto* const job : all) {
                if (std::holds_alternative<renew_request>(job->request)) {
                    renewals.push_back(job);
                    continue;
                }
                guarded({&job, 1}, [&] {
                    job->result =
                        std::visit([&](auto& request) -> write_result { return carry_out(in, request); }, job->request);
                });
            }
            if (renewals.empty()) return;
            guarded(renewals, [&] {
                for (auto* const job : renewals) job->result = std::monostate();
                in.own.leases.renew(renewals, in.deadline);
            });
        });
    }

    void prepare(append_request& request) noexcept override {
        if (!request.text) return;
        try {
            request.prepared = std::make_shared<bson::document const>(make_messages(*request.text, request.count));
        } catch (...) {  // it fails again when it is written
        }
    }

    std::shared_ptr<std::string const> text_as_read(append_request const& written) override {
        auto const messages = std::static_pointer_cast<bson::document const>(written.prepared);
        return text_of(bson::fields(*messages->get(), "a segment"), written.count);
    }

    read_result read(log_id log, std::int64_t from_number, read_limits limits, steady_time deadline) override {
        auto const in = begin(deadline);
        check(in, log);
        return in.own.reader.read(log, from_number, limits, in.deadline);
    }
    std::int64_t locate(log_id log, std::int64_t offset, steady_time deadline) override {
        auto const in = begin(deadline);
        check(in, log);
        return in.own.lookup.locate(log, offset, in.deadline);
    }
    log_state state(log_id log, steady_time deadline) override {
        auto const in = begin(deadline);
        check(in, log);
        return in.own.lookup.state(log, in.deadline);
    }
    inspection inspect(std::span<log_id const> asked, std::span<group_id const> asked_groups,
                       steady_time deadline) override {
        auto const in = begin(deadline);
        return in.own.watching->inspect(asked, asked_groups, in.deadline);
    }

    std::vector<std::pair<std::string, std::string>> read_collection(std::string const& name,
                                                                     steady_time deadline) override {
        auto const in = begin(deadline);
        return mongo::read_collection(in.own.clients, name, in.deadline);
    }

    std::unique_ptr<subscription> watch(std::function<void()> changed) override {
        auto& own = use();
        auto subscribed = own.listeners->subscribe(std::move(changed));
        own.watching->start();
        return subscribed;
    }

    void maintain(steady_time deadline) override {
        auto const in = begin(deadline);
        remove_records(in.own.lookup, in.deadline);
        in.own.remover.sweep(in.deadline);
        auto const now = std::chrono::steady_clock::now();
        if (now - clock_set_ < clock_period) return;
        clock_set_ = now;
        auto const server = greet(in.own.clients, in.deadline);
        auto const off = in.own.clock.set(server.local_time, server.asked, server.answered);
        if (log_ && std::abs(off) > 1'000)
            log_(log_level::warning, "MongoDB at " + in.own.clients.how().hosts + ": its clock has jumped by " +
                                         std::to_string(off) + " ms");
    }

    void limit_calls(steady_time latest) noexcept override { latest_ = parts_->clock.on_this_machine(latest); }

  private:
    parts& use() const {
        guard_.check();
        return *parts_;
    }
    call begin(steady_time deadline) const { return {use(), deadline, latest_}; }
    static void check(call const& in, log_id log) { in.own.streams.check(log, in.deadline); }

    template <class Work>
    // NOLINTNEXTLINE(bugprone-exception-escape): see `write`
    static void guarded(std::span<write_job* const> jobs, Work const& work) noexcept {
        try {
            work();
        } catch (error const& problem) {
            for (auto* const job : jobs) job->result = problem;
        } catch (std::exception const& problem) {
            for (auto* const job : jobs) job->result = error(errc::store_failure, problem.what());
        }
    }

    static append_result carry_out(call const& in, append_request& request) {
        check(in, request.log);
        return in.own.writer.append(request, in.deadline);
    }
    static seal_result carry_out(call const& in, seal_request const& request) {
        check(in, request.log);
        return in.own.writer.seal(request, in.deadline);
    }
    static acquire_result carry_out(call const& in, acquire_request const& request) {
        check(in, request.group.log);
        return in.own.leases.acquire(request, in.deadline);
    }
    static done carry_out(call const&, renew_request const&) { return {}; }  // all together, elsewhere
    static done carry_out(call const& in, release_request const& request) {
        check(in, request.group.log);
        in.own.leases.release(request, in.deadline);
        return {};
    }
    static done carry_out(call const& in, commit_request const& request) {
        auto const resolve = [&in](std::string const& name, int partition, steady_time until) {
            auto const stream = in.own.streams.find(name, until);
            if (!stream) throw error(errc::stream_not_found, "there is no stream '" + name + "'");
            log_id const log{stream->incarnation, partition};
            in.own.streams.check(log, until);
            return log;
        };
        check(in, request.group.log);
        in.own.commits->commit(request, resolve, in.deadline);
        return {};
    }
    static trim_result carry_out(call const& in, trim_request const& request) {
        check(in, request.log);
        auto const stream = in.own.streams.known(request.log.incarnation, in.deadline);
        return trim(in.own.lookup, in.own.groups, request, stream.limits, in.deadline);
    }

    fork_guard guard_;
    log_callback log_;
    std::unique_ptr<parts> parts_;
    steady_time clock_set_{};  // by `maintain` alone
    time_limit::movable latest_ = steady_time::max();
};

}  // namespace
}  // namespace mongo

std::shared_ptr<store> open_mongo(std::string const& url, open_options const& options) {
    // Two for each concurrent call, since a transaction holds one while it reads outside of it; one for the change
    // stream.
    auto const clients = 2 * options.readers + 2;
    return std::make_shared<mongo::mongo_store>(mongo::parse_settings(url, clients, options.timeout), options);
}

}  // namespace minibatch::store
