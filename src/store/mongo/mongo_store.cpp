#include "store/mongo/mongo_store.hpp"

#include <utility>

#include "bson/to_json.hpp"
#include "store/fork_guard.hpp"
#include "store/mongo/changes.hpp"
#include "store/mongo/commands.hpp"
#include "store/mongo/server.hpp"
#include "store/mongo/stream_table.hpp"
#include "store/mongo/trimming.hpp"
#include "store/names.hpp"
#include "store/rules.hpp"

namespace minibatch::store {
namespace mongo {
namespace {

/// The server's clock may be set, and ours drifts.
constexpr std::chrono::minutes clock_period{10};

/// What belongs to the process that opened the database.
struct parts {
    parts(settings how, open_options const& options)
        : clients(std::move(how), options.on_command), clock(options.time), all(clients, clock) {}

    client_pool clients;
    database_clock clock;
    logs all;
    std::optional<group_table> groups;
    std::optional<stream_table> streams;
    std::shared_ptr<notifier> listeners = std::make_shared<notifier>();
    std::optional<changes> watching;  // last: its thread uses the others
};

class mongo_store final : public store {
  public:
    mongo_store(settings how, open_options const& options)
        : log_(options.log), parts_(std::make_unique<parts>(std::move(how), options)) {
        auto const deadline = std::chrono::steady_clock::now() + options.timeout;
        auto& own = *parts_;
        auto const server = greet(own.clients, deadline);
        check_rights(own.clients, deadline);
        own.clients.set_sharded(server.sharded);
        own.clock.set(server.local_time, server.asked, server.answered);
        clock_set_ = std::chrono::steady_clock::now();
        own.groups.emplace(own.clients, own.all, server.transactions);
        own.streams.emplace(own.clients, own.all, *own.groups);
        own.watching.emplace(own.clients, own.all, *own.groups, own.listeners, server.transactions, options.log);
    }

    ~mongo_store() override {
        // A child must not touch what it inherited: the connections are the parent's.
        if (guard_.forked()) static_cast<void>(parts_.release());
    }

    tuning tune() const noexcept override {
        tuning out;
        out.scope = write_scope::log;
        // Each call is a round trip, and each segment a document: larger ones than on a disk of one's own.
        out.full_segment_bytes = std::size_t{1} << 20;
        out.read_ahead_bytes = std::size_t{4} << 20;
        out.prepares = true;
        // Removal waits for `removal_delay` anyway.
        out.trim_records = 8'192;
        out.trim_delay = milliseconds(5'000);
        return out;
    }
    time_ms now() override { return parts_->clock.now(); }

    stream_record open_stream(std::string const& name, std::optional<int> partitions, std::optional<retention> limits,
                              steady_time deadline) override {
        rules::check_stream(name, partitions, limits);
        return use().streams->open(name, partitions, limits, local(deadline));
    }
    std::optional<stream_record> find_stream(std::string const& name, steady_time deadline) override {
        return use().streams->find(name, local(deadline));
    }
    std::vector<stream_record> list_streams(steady_time deadline) override {
        return use().streams->list(local(deadline));
    }
    bool delete_stream(std::string const& name, std::int64_t incarnation, steady_time deadline) override {
        return use().streams->drop(name, incarnation, local(deadline));
    }
    void clear_stream(std::int64_t incarnation, steady_time deadline) override {
        auto& own = use();
        auto const stream = own.streams->known(incarnation, local(deadline));
        for (int partition = 0; partition < stream.partitions; ++partition)
            clear(own.all, {incarnation, partition}, local(deadline));
    }

    group_state register_group(group_id const& group, start_position start, bool keep, steady_time deadline) override {
        check_name("group", group.group);
        return at(group.log, deadline).groups->enroll(group, start, keep, local(deadline));
    }
    std::vector<group_state> list_groups(std::int64_t incarnation, steady_time deadline) override {
        auto& own = use();
        auto const stream = own.streams->known(incarnation, local(deadline));
        return own.groups->list(incarnation, stream.partitions, local(deadline));
    }
    bool delete_group(std::int64_t incarnation, std::string const& group, steady_time deadline) override {
        auto& own = use();
        auto const stream = own.streams->known(incarnation, local(deadline));
        return own.groups->drop(incarnation, stream.partitions, group, local(deadline));
    }

    void write(std::span<write_job> jobs, steady_time deadline) noexcept override {
        std::vector<write_job*> renewals;
        for (auto& job : jobs) {
            if (std::holds_alternative<renew_request>(job.request)) {
                renewals.push_back(&job);
                continue;
            }
            guarded({&job, 1}, [&] {
                job.result = std::visit([&](auto& request) -> write_result { return carry_out(request, deadline); },
                                        job.request);
            });
        }
        if (renewals.empty()) return;
        try {
            for (auto* job : renewals) job->result = std::monostate();
            use().groups->renew(renewals, local(deadline));
        } catch (error const& problem) {
            for (auto* job : renewals) job->result = problem;
        } catch (std::exception const& problem) {
            for (auto* job : renewals) job->result = error(errc::store_failure, problem.what());
        }
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
        return at(log, deadline).all.read(log, from_number, limits, local(deadline));
    }
    std::int64_t locate(log_id log, std::int64_t offset, steady_time deadline) override {
        return at(log, deadline).all.locate(log, offset, local(deadline));
    }
    log_state state(log_id log, steady_time deadline) override {
        return at(log, deadline).all.state(log, local(deadline));
    }
    inspection inspect(std::span<log_id const> asked, std::span<group_id const> asked_groups,
                       steady_time deadline) override {
        return use().watching->inspect(asked, asked_groups, local(deadline));
    }

    std::vector<std::pair<std::string, std::string>> read_collection(std::string const& name,
                                                                     steady_time deadline) override {
        auto& own = use();
        std::vector<std::pair<std::string, std::string>> out;
        auto const take = [&](bson::fields const& each) {
            auto const id = each.find("_id");
            bson::document rest;
            bson_copy_to_excluding_noinit(&each.raw(), rest.get(), "_id", nullptr);
            out.emplace_back(id && BSON_ITER_HOLDS_UTF8(&id->at) ? each.text("_id") : "", bson::to_json(*rest.get()));
        };
        auto reply = own.clients.run("read collection", command_kind::read,
                                     *bson::make([&](bson::builder& b) {
                                          b.add("find", name);
                                          b.add("readConcern", own.clients.read_concern());
                                      }).get(),
                                     local(deadline));
        auto cursor = documents_of(reply, "a document", take);
        while (cursor != 0) {
            reply = own.clients.run(
                "read collection", command_kind::read,
                *bson::make([&](bson::builder& b) { b.add("getMore", cursor).add("collection", name); }).get(),
                local(deadline));
            bson::fields const body(*reply.get(), "a document");
            body.object("cursor").each_object("nextBatch", take);
            cursor = body.object("cursor").integer("id");
        }
        return out;
    }

    std::unique_ptr<subscription> watch(std::function<void()> changed) override {
        auto& own = use();
        auto subscribed = own.listeners->subscribe(std::move(changed));
        own.watching->start();
        return subscribed;
    }

    void maintain(steady_time deadline) override {
        auto& own = use();
        remove_records(own.all, local(deadline));
        own.streams->sweep(local(deadline));
        auto const now = std::chrono::steady_clock::now();
        if (now - clock_set_ < clock_period) return;
        clock_set_ = now;
        auto const server = greet(own.clients, local(deadline));
        auto const off = own.clock.set(server.local_time, server.asked, server.answered);
        if (log_ && std::abs(off) > 1'000)
            log_(log_level::warning,
                 "MongoDB at " + own.clients.how().hosts + ": its clock has jumped by " + std::to_string(off) + " ms");
    }

  private:
    parts& use() const {
        guard_.check();
        return *parts_;
    }
    parts& at(log_id log, steady_time deadline) const {
        use().streams->check(log, local(deadline));
        return *parts_;
    }
    steady_time local(steady_time deadline) const { return parts_->clock.on_this_machine(deadline); }

    template <class Work>
    static void guarded(std::span<write_job> jobs, Work const& work) noexcept {
        try {
            work();
        } catch (error const& problem) {
            for (auto& job : jobs) job.result = problem;
        } catch (std::exception const& problem) {
            for (auto& job : jobs) job.result = error(errc::store_failure, problem.what());
        }
    }

    append_result carry_out(append_request& request, steady_time deadline) {
        return at(request.log, deadline).all.append(request, local(deadline));
    }
    seal_result carry_out(seal_request const& request, steady_time deadline) {
        return at(request.log, deadline).all.seal(request, local(deadline));
    }
    acquire_result carry_out(acquire_request const& request, steady_time deadline) {
        return at(request.group.log, deadline).groups->acquire(request, local(deadline));
    }
    done carry_out(renew_request const&, steady_time) { return {}; }  // all together, elsewhere
    done carry_out(release_request const& request, steady_time deadline) {
        at(request.group.log, deadline).groups->release(request, local(deadline));
        return {};
    }
    done carry_out(commit_request const& request, steady_time deadline) {
        auto const resolve = [this](std::string const& name, int partition, steady_time until) {
            auto const stream = parts_->streams->find(name, until);
            if (!stream) throw error(errc::stream_not_found, "there is no stream '" + name + "'");
            log_id const log{stream->incarnation, partition};
            parts_->streams->check(log, until);
            return log;
        };
        at(request.group.log, deadline).groups->commit(request, resolve, local(deadline));
        return {};
    }
    trim_result carry_out(trim_request const& request, steady_time deadline) {
        auto& own = at(request.log, deadline);
        auto const stream = own.streams->known(request.log.incarnation, local(deadline));
        return trim(own.all, *own.groups, request, stream.limits, local(deadline));
    }

    fork_guard guard_;
    log_callback log_;
    std::unique_ptr<parts> parts_;
    steady_time clock_set_{};  // by `maintain` alone
};

}  // namespace
}  // namespace mongo

std::shared_ptr<store> open_mongo(std::string const& url, open_options const& options) {
    // Two for each call at a time, as a transaction holds one while it looks at something; one for the change stream.
    auto const clients = 2 * options.readers + 2;
    return std::make_shared<mongo::mongo_store>(mongo::parse_settings(url, clients, options.timeout), options);
}

}  // namespace minibatch::store
