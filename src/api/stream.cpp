#include <algorithm>
#include <boost/crc.hpp>
#include <minibatch/database.hpp>
#include <minibatch/stream.hpp>

#include "api/consumer_core.hpp"
#include "api/producer_core.hpp"
#include "api/run_blocking.hpp"
#include "api/stream_core.hpp"
#include "store/names.hpp"
#include "store/rules.hpp"

namespace minibatch {
namespace detail {

int stream_core::choose(std::string_view key) {
    unsigned chosen = 0;
    if (record.partitions > 1) {
        if (key.empty()) {
            chosen = turn_.fetch_add(1, std::memory_order_relaxed);
        } else {
            // Part of the storage format: every program maps a key to the same partition, for ever.
            boost::crc_32_type crc;
            crc.process_bytes(key.data(), key.size());
            chosen = crc.checksum();
        }
        chosen %= static_cast<unsigned>(record.partitions);
    }
    return static_cast<int>(chosen);
}

namespace {

void append(std::shared_ptr<stream_core> const& core, log::segment_text documents, int partition,
            operation<position> op) {
    store::log_id const target{core->record.incarnation, partition};
    auto& queue = *core->db->engine()->writes;
    if (!op.cancellable()) {
        queue.append(
            target, std::move(documents),
            [op = std::move(op), target](std::optional<error> problem, std::int64_t offset, std::string_view) mutable {
                op.complete(std::move(problem), position{target.partition, offset});
            });
        return;
    }
    auto const ticket = queue.new_ticket();
    auto cancel = [db = std::weak_ptr(core->db), ticket](shared_operation<position>& of, asio::cancellation_type type) {
        auto const owner = db.lock();
        if (!owner || owner->guard().forked()) return;
        auto const taken_back = owner->engine()->writes->cancel(ticket);
        if (!taken_back && !may_leave_open(type)) return;
        if (!of.claim()) return;
        if (taken_back)
            of.done.cancelled();
        else
            of.done.fail(
                error(errc::outcome_unknown, "the append was cancelled after it had been handed to the database"));
    };
    auto const shared = share(std::move(op), std::move(cancel));
    queue.append(
        target, std::move(documents),
        [shared, target](std::optional<error> problem, std::int64_t offset, std::string_view) {
            if (shared->claim()) shared->done.complete(std::move(problem), position{target.partition, offset});
        },
        ticket);
}

store::retention limits_of(stream_options const& options) {
    return {options.max_age, options.max_messages, options.max_bytes};
}

void check(stream_options const& options) {
    auto const refuse = [](char const* what, auto value) {
        throw error(errc::invalid_argument, std::string("stream_options::") + what + ", not " + std::to_string(value));
    };
    if (options.max_age && options.max_age->count() <= 0) refuse("max_age must be positive", options.max_age->count());
    if (options.max_messages && *options.max_messages <= 0)
        refuse("max_messages must be positive", *options.max_messages);
    if (options.max_bytes && *options.max_bytes <= 0) refuse("max_bytes must be positive", *options.max_bytes);
}

}  // namespace
}  // namespace detail

stream::stream(std::shared_ptr<detail::stream_core> core) : core_(std::move(core)) {}

int stream::choose(std::shared_ptr<detail::stream_core> const& core, std::string_view key) { return core->choose(key); }

std::string const& stream::name() const { return core_->record.name; }
int stream::partitions() const { return core_->record.partitions; }

stream::owner stream::core_of(database const& db) { return db.core_; }

void stream::start_open(owner const& db, std::string name, stream_options options, detail::completion<stream> done) {
    auto core = std::static_pointer_cast<detail::database_core>(db);
    detail::run_blocking<stream>(
        core, detail::call_effect::writes, std::move(done),
        [core, name = std::move(name), options](store::store& database, store::steady_time deadline) {
            store::check_name("stream", name);
            if (name.ends_with(".dead"))
                throw error(errc::invalid_name,
                            "the stream name '" + name + "' is not allowed: the ending '.dead' is reserved");
            detail::check(options);
            auto const limits = detail::limits_of(options);
            auto record = database.open_stream(name, options.partitions,
                                               limits.any() ? std::optional(limits) : std::nullopt, deadline);
            if (record.limits.any()) core->engine()->retain(record);
            return stream(std::make_shared<detail::stream_core>(core, std::move(record)));
        });
}

void stream::start_append(std::shared_ptr<detail::stream_core> const& core, encoded_document document, int partition,
                          detail::completion<position> done) {
    auto op = core->db->begin(std::move(done));
    if (!op) return;
    if (document.problem) return op->fail(std::move(*document.problem));
    log::segment_text text;
    text.add(document.text);
    detail::append(core, std::move(text), partition, std::move(*op));
}

void stream::start_append(std::shared_ptr<detail::stream_core> const& core, std::vector<encoded_document> documents,
                          int partition, detail::completion<position> done) {
    auto op = core->db->begin(std::move(done));
    if (!op) return;
    if (documents.empty()) return op->fail(error(errc::invalid_argument, "an empty range was given to append"));
    log::segment_text text;
    std::size_t bytes = 0;
    for (std::size_t i = 0; i < documents.size(); ++i) {
        auto& document = documents[i];
        if (document.problem) {
            return op->fail(error(document.problem->code(),
                                  "document " + std::to_string(i) + " of the batch: " + document.problem->what()));
        }
        bytes += document.text.size();
        if (bytes > max_document_bytes) {
            return op->fail(error(errc::document_too_large, "the batch is larger than " +
                                                                std::to_string(max_document_bytes) +
                                                                " bytes at document " + std::to_string(i)));
        }
        text.add(document.text);
    }
    detail::append(core, std::move(text), partition, std::move(*op));
}

producer stream::make_producer(producer_options options) const {
    return producer(std::make_shared<detail::producer_core>(core_, options));
}

void stream::start_consume(std::shared_ptr<detail::stream_core> const& core, strategy how, consumer_options options,
                           detail::completion<consumer> done) {
    detail::run_blocking<consumer>(
        core->db, detail::call_effect::writes, std::move(done),
        [core, how = std::move(how), options](store::store& database, store::steady_time deadline) {
            return consumer(detail::consumer_core::join(core, how, options, database, deadline));
        });
}

void stream::start_peek(std::shared_ptr<detail::stream_core> const& core, int partition, std::int64_t from,
                        std::size_t limit, detail::completion<std::vector<message>> done) {
    detail::run_blocking<std::vector<message>>(
        core->db, detail::call_effect::reads, std::move(done),
        [core, partition, from, limit](store::store& database, store::steady_time deadline) {
            if (partition < 0 || partition >= core->record.partitions) {
                throw error(errc::invalid_argument,
                            "stream '" + core->record.name + "' has no partition " + std::to_string(partition));
            }
            constexpr std::size_t max_bytes = std::size_t{16} << 20;
            store::log_id const log{core->record.incarnation, partition};
            auto const begin =
                from < 0 ? std::max<std::int64_t>(database.state(log, deadline).end.offset + from, 0) : from;
            std::vector<message> found;
            std::size_t bytes = 0;
            auto number = database.locate(log, begin, deadline);
            while (found.size() < limit && bytes < max_bytes) {
                auto const read = database.read(log, number, {}, deadline);
                if (read.records.empty()) break;
                for (auto const& record : read.records) {
                    number = record->number() + 1;
                    bytes += record->bytes();
                    auto const first = std::max({begin, read.state.floor.offset, record->first()});
                    for (auto offset = first; offset < record->end() && found.size() < limit; ++offset) {
                        found.emplace_back(offset, time_point(milliseconds(record->created())), partition,
                                           record->document(offset - record->first()), record);
                    }
                }
            }
            return found;
        });
}

void stream::start_info(std::shared_ptr<detail::stream_core> const& core, detail::completion<stream_info> done) {
    detail::run_blocking<stream_info>(
        core->db, detail::call_effect::reads, std::move(done),
        [core](store::store& database, store::steady_time deadline) {
            stream_info info;
            info.name = core->record.name;
            info.partitions = core->record.partitions;
            std::vector<store::log_state> logs;
            for (int partition = 0; partition < info.partitions; ++partition) {
                logs.push_back(database.state({core->record.incarnation, partition}, deadline));
                info.messages += logs.back().end.offset - logs.back().floor.offset;
                info.bytes += logs.back().bytes;
                info.appended += logs.back().end.offset;
                auto const ahead = store::milliseconds(logs.back().last_created - database.now());
                if (ahead >= std::chrono::seconds(1)) info.ahead = std::max(info.ahead, ahead);
            }
            for (auto const& group : database.list_groups(core->record.incarnation, deadline)) {
                auto found = std::find_if(info.groups.begin(), info.groups.end(),
                                          [&](auto const& known) { return known.name == group.id.group; });
                if (found == info.groups.end())
                    found = info.groups.insert(found, group_info{.name = group.id.group, .owner = {}});
                auto const& log = logs.at(static_cast<std::size_t>(group.id.log.partition));
                auto const backlog = store::rules::backlog_of(group.state, log);
                found->keep = found->keep || group.state.keep;
                found->lag += backlog.lag;
                found->lost += backlog.lost;
                if (!found->owner.empty()) continue;
                found->owner = store::rules::shown_owner(group.held, database.now());
                found->owned_here = found->owner == core->db->engine()->owner;
            }
            return info;
        });
}

void stream::start_clear(std::shared_ptr<detail::stream_core> const& core, detail::completion<> done) {
    detail::run_blocking(core->db, detail::call_effect::writes, std::move(done),
                         [core](store::store& database, store::steady_time deadline) {
                             database.clear_stream(core->record.incarnation, deadline);
                             core->db->engine()->newest.drop(core->record.incarnation);
                         });
}

}  // namespace minibatch
