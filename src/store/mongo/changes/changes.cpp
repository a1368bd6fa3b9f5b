#include "store/mongo/changes/changes.hpp"

#include <algorithm>
#include <utility>

#include "base/start_thread.hpp"
#include "store/mongo/changes/change_events.hpp"
#include "store/mongo/wire/commands.hpp"
#include "store/mongo/wire/jitter.hpp"

namespace minibatch::store::mongo {
namespace {

using std::chrono::steady_clock;

/// How long the server waits for a change before it answers that there was none. With newer drivers, whose connections
/// cannot be interrupted, closing waits for it.
constexpr milliseconds await_time{MONGOC_CHECK_VERSION(2, 0, 0) ? 2'000 : 10'000};
/// The answer may take this much longer.
constexpr milliseconds answer_time{10'000};
constexpr milliseconds poll_period{100};
constexpr milliseconds shortest_pause{50};
constexpr milliseconds longest_pause{5'000};

constexpr std::int32_t history_lost = 286;
constexpr std::int32_t fatal_stream = 280;

struct stream_ended {
    failure why;
};

using description_ptr = std::unique_ptr<mongoc_server_description_t, void (*)(mongoc_server_description_t*)>;

/// As far as the driver knows: a primary, or a server that is used in place of one.
bool is_primary(client_pool::loan const& client, std::uint32_t server) {
    description_ptr const now(mongoc_client_get_server_description(client.get(), server),
                              mongoc_server_description_destroy);
    std::string_view const type = now ? mongoc_server_description_type(now.get()) : "";
    return type == "RSPrimary" || type == "Mongos" || type == "LoadBalancer" || type == "Standalone";
}

}  // namespace

changes::changes(log_lookup& logs, lease_table& leases, std::shared_ptr<notifier> listeners, bool streams,
                 log_callback log)
    : clients_(logs.clients()),
      logs_(logs),
      lease_table_(leases),
      listeners_(std::move(listeners)),
      streams_(streams),
      log_(std::move(log)) {}

changes::~changes() {
    {
        std::lock_guard const lock(mutex_);
        end_ = steady_clock::now();
    }
    stopped_.notify_all();
    if (thread_.joinable()) thread_.join();
}

void changes::start() {
    std::lock_guard const lock(mutex_);
    if (started_) return;
    thread_ = base::start_thread("minibatch-watch", [this] { run_safely(); });
    started_ = true;
}

void changes::run_safely() noexcept {
    while (!stopping()) {
        try {
            run();
        } catch (...) {  // out of memory, most likely; whoever is woken reads by himself
            try {
                say(log_level::error, base::current_error("looking for changes").what());
                doubt();
                listeners_->notify();
                wait(longest_pause);
            } catch (...) {
                std::this_thread::sleep_for(shortest_pause);
            }
        }
    }
}

void changes::say(log_level level, std::string const& text) const {
    if (log_) log_(level, "MongoDB at " + clients_.how().hosts + ": " + text);
}

bool changes::wait(milliseconds duration) {
    std::unique_lock lock(mutex_);
    return !stopped_.wait_for(lock, duration, [this] { return stopping(); });
}

void changes::doubt() {
    {
        std::lock_guard const lock(mutex_);
        current_ = false;
        ++doubts_;
        leases_.clear();
        seen_.clear();
    }
}

void changes::run() {
    if (!streams_) {
        say(log_level::warning, "a standalone server has no change streams; looking for changes every " +
                                    std::to_string(poll_period.count()) + " ms instead");
        poll();
        return;
    }
    bool told = false;
    auto pause = shortest_pause;
    while (!stopping()) {
        failure why;
        try {
            follow();
        } catch (stream_ended const& end) {
            why = end.why;
        } catch (error const& problem) {
            why.text = problem.what();
        }
        doubt();
        if (stopping()) return;
        if (why.server_code == history_lost || why.server_code == fatal_stream) {
            // Listeners that are woken read from where they are, so nothing is missed although the events are lost.
            say(log_level::warning, "the change stream cannot be resumed, and begins anew: " + why.text);
            token_ = {};
        } else if (why.how == severity::refused && !why.text.empty()) {
            if (!std::exchange(told, true))
                say(log_level::error, "no change stream is possible; looking for changes now and then: " + why.text);
            token_ = {};
        }
        if (std::exchange(answered_, false)) {
            pause = shortest_pause;
            told = false;
        }
        listeners_->notify();
        if (!wait(at_random(pause / 2, pause))) return;
        pause = std::min(pause * 2, longest_pause);
    }
}

void changes::poll() {
    while (wait(poll_period)) {
        doubt();
        listeners_->notify();
    }
}

void changes::follow() {
    // The cursor belongs to the server that opened it, and to the session.
    client_pool::session in(clients_);
    if (auto const why = in.begin()) throw stream_ended{*why};
    bson_error_t problem{};
    description_ptr const server(mongoc_client_select_server(in.client().get(), true, nullptr, &problem),
                                 mongoc_server_description_destroy);
    if (!server) {
        bson::document const nothing;
        throw stream_ended{classify(problem, *nothing.get())};
    }
    auto options = bson::make([&](bson::builder& b) {
        b.add("serverId", static_cast<std::int32_t>(mongoc_server_description_id(server.get())));
    });
    in.add_to(options);
    auto const ask = [&](bson::document const& command) {
        time_limit const bounded(steady_clock::now() + await_time + answer_time, &end_);
        auto got = clients_.once(in.client(), command_kind::read, *command.get(),
                                 steady_clock::now() + await_time + answer_time, options.get());
        if (stopping()) throw stream_ended{};
        if (got.problem) throw stream_ended{*got.problem};
        return std::move(got.body);
    };
    auto reply = open(ask);
    listeners_->notify();  // what came before the stream was open
    for (char const* batch = "firstBatch";; batch = "nextBatch") {
        bson::fields const body(*reply.get(), "the change stream");
        auto const cursor = body.object("cursor");
        bool any = false;
        cursor.each_object(batch, [&](bson::fields const& event) { any = take(event) || any; });
        if (auto const after = cursor.object_if("postBatchResumeToken")) token_ = bson::document(after->raw());
        if (any) listeners_->notify();
        auto const id = cursor.integer("id");
        if (id == 0)
            throw stream_ended{failure{severity::not_done, errc::unavailable, "it was closed", 0, false, false}};
        reply = ask(bson::make([&](bson::builder& b) {
            b.add("getMore", id).add("collection", "$cmd.aggregate");
            b.add("maxTimeMS", static_cast<std::int32_t>(await_time.count()));
        }));
        answered_ = true;
        // A primary that is cut off from the others still answers, but has nothing more to report.
        if (!is_primary(in.client(), mongoc_server_description_id(server.get())))
            throw stream_ended{failure{severity::not_done, errc::unavailable, "not the primary", 0, false, false}};
    }
}

/// Opens it where it was interrupted, or else at a time that all later questions look back to: a change that is neither
/// in the stream nor in an answer would be missed.
bson::document changes::open(std::function<bson::document(bson::document const&)> const& ask) {
    bool const resumed = !bson_empty(token_.get());
    std::optional<cluster_time> begin;
    if (!resumed) begin = operation_time(ask(bson::make([](bson::builder& b) { b.add("ping", 1); })));
    auto reply = ask(bson::make([&](bson::builder& b) {
        b.add("aggregate", 1);
        b.list("pipeline",
               [&](bson::builder& stages) { add_change_stages(stages, resumed ? token_.get() : nullptr, begin); });
        b.object("cursor", [](bson::builder&) {});
        // Change streams support no other level, whatever level the store reads with.
        b.object("readConcern", [](bson::builder& concern) { concern.add("level", "majority"); });
    }));
    std::lock_guard const lock(mutex_);
    current_ = true;
    if (resumed) return reply;
    since_ = begin;
    // What was asked for earlier may have changed before the stream was open.
    ++doubts_;
    leases_.clear();
    seen_.clear();
    return reply;
}

/// True: the event was news.
bool changes::take(bson::fields const& event) {
    if (auto const token = event.object_if("_id")) token_ = bson::document(token->raw());
    auto const key = event.object("documentKey").text("_id");
    auto const parts = parse_change_key(key);
    if (!parts) return false;
    if (event.object("ns").text("coll") == collection::segments) {
        auto const record = parse_header(event.object("fullDocument"));
        if (!record.deleted) return logs_.views().note_record(parts->first, record);
        std::lock_guard const lock(mutex_);
        seen_.erase(parts->first);
        return true;
    }
    std::lock_guard const lock(mutex_);
    leases_.erase(group_id{parts->first, parts->second});
    return true;
}

inspection changes::inspect(std::span<log_id const> asked, std::span<group_id const> asked_groups,
                            steady_time deadline) {
    inspection out;
    out.ends.resize(asked.size());
    out.leases.resize(asked_groups.size());
    std::vector<std::size_t> unknown_logs;
    std::vector<std::size_t> unknown_groups;
    std::uint64_t doubts = 0;
    std::optional<cluster_time> since;
    {
        std::lock_guard const lock(mutex_);
        doubts = doubts_;
        since = since_;
        for (std::size_t i = 0; i < asked.size(); ++i)
            if (!current_ || !seen_.contains(asked[i])) unknown_logs.push_back(i);
        for (std::size_t i = 0; i < asked_groups.size(); ++i) {
            auto const found = leases_.find(asked_groups[i]);
            if (!current_ || found == leases_.end())
                unknown_groups.push_back(i);
            else
                out.leases[i] = found->second;
        }
        // A change from here on erases the entry again.
        for (auto const i : unknown_groups) leases_[asked_groups[i]] = std::nullopt;
        for (auto const i : unknown_logs) seen_[asked[i]] = true;
    }
    try {
        if (!unknown_logs.empty()) {
            std::vector<log_id> ask;
            ask.reserve(unknown_logs.size());
            for (auto const i : unknown_logs) ask.push_back(asked[i]);
            auto const ends = logs_.ends(ask, since, deadline);
            for (std::size_t i = 0; i < ask.size(); ++i) out.ends[unknown_logs[i]] = ends[i];
        }
        if (!unknown_groups.empty()) {
            std::vector<group_id> ask;
            ask.reserve(unknown_groups.size());
            for (auto const i : unknown_groups) ask.push_back(asked_groups[i]);
            auto const held = lease_table_.leases(ask, since, deadline);
            std::lock_guard const lock(mutex_);
            for (std::size_t i = 0; i < ask.size(); ++i) {
                out.leases[unknown_groups[i]] = held[i];
                if (auto const found = leases_.find(ask[i]); found != leases_.end()) found->second = held[i];
            }
        }
    } catch (...) {
        std::lock_guard const lock(mutex_);
        for (auto const i : unknown_groups) leases_.erase(asked_groups[i]);
        for (auto const i : unknown_logs) seen_.erase(asked[i]);
        throw;
    }
    {
        std::lock_guard const lock(mutex_);
        if (doubts != doubts_) {
            leases_.clear();
            seen_.clear();
        }
    }
    for (std::size_t i = 0; i < asked.size(); ++i) {
        if (std::find(unknown_logs.begin(), unknown_logs.end(), i) != unknown_logs.end()) continue;
        if (auto const known = logs_.views().known_end(asked[i])) out.ends[i] = known->end;
    }
    return out;
}

}  // namespace minibatch::store::mongo
