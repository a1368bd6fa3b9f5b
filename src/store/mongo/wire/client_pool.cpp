#include "store/mongo/wire/client_pool.hpp"

#include <algorithm>
#include <thread>

#include "bson/builder.hpp"
#include "bson/fields.hpp"
#include "store/mongo/wire/deadline_stream.hpp"
#include "store/mongo/wire/jitter.hpp"
#include "store/time_limit.hpp"

namespace minibatch::store::mongo {
namespace {

using std::chrono::steady_clock;

/// The least time for a try, unless the deadline comes first.
constexpr milliseconds shortest_try{1'000};
/// However long the operation may take: a connection that hangs is given up, and another one is tried.
constexpr milliseconds longest_try_of_all{30'000};

void on_started(mongoc_apm_command_started_t const* event) {
    auto const& call =
        *static_cast<std::function<void(std::string_view)>*>(mongoc_apm_command_started_get_context(event));
    call(mongoc_apm_command_started_get_command_name(event));
}

/// The error in the answer to a write whose command as a whole has succeeded.
std::optional<failure> error_within(bson_t const& reply) try {
    bson::fields const body(reply, "an answer of the server");
    std::optional<failure> found;
    if (body.array_if("writeErrors")) {
        body.each_object("writeErrors", [&](bson::fields const& item) {
            // A duplicate key must not hide another error.
            if (!found || found->server_code == duplicate_key)
                found = classify_code(static_cast<std::int32_t>(item.integer("code")),
                                      item.text_if("errmsg").value_or("a write was refused"));
        });
    }
    if (found) return found;
    auto const of_concern = [](bson::fields const& concern) {
        return classify_code(static_cast<std::int32_t>(concern.integer("code")),
                             concern.text_if("errmsg").value_or("the write concern was not met"), true);
    };
    if (auto const concern = body.object_if("writeConcernError")) return of_concern(*concern);
    // The driver's own functions use this name.
    if (body.array_if("writeConcernErrors"))
        body.each_object("writeConcernErrors", [&](bson::fields const& item) {
            if (!found) found = of_concern(item);
        });
    return found;
} catch (error const& damage) {
    // The answer cannot be read; the command may have been carried out.
    return failure{severity::unknown, errc::corrupt, damage.what(), 0, false, false};
}

struct collection_deleter {
    void operator()(mongoc_collection_t* collection) const noexcept { mongoc_collection_destroy(collection); }
};

/// Why the driver has found no server: its words on each host, if there are any.
std::string without_server(mongoc_uri_t const* uri, std::string_view words) {
    std::string out = "no server that takes writes can be reached";
    if (auto const* set = mongoc_uri_get_replica_set(uri)) out += " in replica set '" + std::string(set) + "'";
    auto const reasons = words.find('[');
    if (reasons == words.npos) return out;
    out += ": " + std::string(words.substr(reasons));
    // A server that requires TLS does not answer with a message.
    if (!mongoc_uri_get_tls(uri) && words.find("Failed to read", reasons) != words.npos)
        out += "; if the server wants TLS, add tls=true";
    return out;
}

}  // namespace

std::optional<cluster_time> operation_time(bson::document const& answer) {
    bson_iter_t at;
    if (!bson_iter_init_find(&at, answer.get(), "operationTime") || !BSON_ITER_HOLDS_TIMESTAMP(&at))
        return std::nullopt;
    cluster_time out;
    bson_iter_timestamp(&at, &out.seconds, &out.increment);
    return out;
}

client_pool::client_pool(settings how, std::function<void(std::string_view)> on_command)
    : how_(std::move(how)), on_command_(std::move(on_command)) {
    bson_error_t problem{};
    pool_.reset(mongoc_client_pool_new_with_error(how_.uri.get(), &problem));
    if (!pool_) {
        // mongodb+srv looks up the hosts here.
        auto const later = problem.domain == MONGOC_ERROR_STREAM;
        throw error(later ? errc::unavailable : errc::invalid_url, "MongoDB at " + how_.hosts + ": " + problem.message);
    }
    mongoc_client_pool_set_error_api(pool_.get(), MONGOC_ERROR_API_VERSION_2);
    if (on_command_) {
        std::unique_ptr<mongoc_apm_callbacks_t, void (*)(mongoc_apm_callbacks_t*)> const calls(
            mongoc_apm_callbacks_new(), mongoc_apm_callbacks_destroy);
        mongoc_apm_set_command_started_cb(calls.get(), on_started);
        mongoc_client_pool_set_apm_callbacks(pool_.get(), calls.get(), &on_command_);
    }
}

client_pool::~client_pool() {
    // The driver ends the sessions on the server if it can.
    time_limit const bounded(steady_clock::now() + milliseconds(500));
    pool_.reset();
}

client_pool::loan::loan(client_pool& from) : from_(from), client_(mongoc_client_pool_pop(from.pool_.get())) {
#if !MONGOC_CHECK_VERSION(2, 0, 0)
    mongoc_client_set_stream_initiator(client_, minibatch_mongo_connect, nullptr);
#endif
}

mongoc_client_t* client_pool::loan::get() const noexcept {
#if MONGOC_CHECK_VERSION(2, 0, 0)
    // Newer drivers create the connections of a pool themselves; only each wait for the network can be bounded.
    auto const left = std::chrono::ceil<milliseconds>(time_limit::end() - steady_clock::now()).count();
    mongoc_client_set_sockettimeoutms(client_, static_cast<std::int32_t>(std::clamp<std::int64_t>(left, 1, 3'600'000)));
#endif
    return client_;
}

client_pool::loan::~loan() { mongoc_client_pool_push(from_.pool_.get(), client_); }

std::optional<failure> client_pool::session::begin() {
    if (handle_) return std::nullopt;
    bson_error_t problem{};
    handle_.reset(mongoc_client_start_session(client_.get(), nullptr, &problem));
    if (handle_) return std::nullopt;
    bson::document const nothing;
    return classify(problem, *nothing.get());
}

void client_pool::session::add_to(bson::document& options) const {
    bson_error_t problem{};
    if (!mongoc_client_session_append(handle_.get(), options.get(), &problem))
        throw error(errc::store_failure, problem.message);
}

bson::document client_pool::read_concern(std::optional<cluster_time> after) const {
    return bson::make([&](bson::builder& out) {
        out.add("level", how_.read_concern);
        if (after) out.timestamp("afterClusterTime", after->seconds, after->increment);
    });
}

bson::document client_pool::write_concern(steady_time deadline) const {
    return bson::make([&](bson::builder& out) {
        if (how_.majority_writes)
            out.add("w", "majority");
        else if (!how_.tag.empty())
            out.add("w", how_.tag);
        else
            out.add("w", std::int32_t{how_.acknowledgements});
        out.add("j", how_.journal);
        auto const left = std::chrono::ceil<milliseconds>(deadline - steady_clock::now()).count();
        out.add("wtimeout", static_cast<std::int32_t>(std::clamp<std::int64_t>(left, 1, 3'600'000)));
    });
}

answer client_pool::once(loan const& with, command_kind kind, bson_t const& command, steady_time deadline,
                         bson_t const* options) {
    answer out;
    if (steady_clock::now() >= std::min(deadline, time_limit::end())) {
        out.problem = failure{severity::not_done, errc::timeout, "no time left", 0, false, false};
        return out;
    }
    time_limit const bounded(deadline);
    bson::document given;
    if (options)
        given = bson::document(*options);
    else if (kind == command_kind::write)
        bson::builder(given).add("writeConcern", write_concern(deadline));
    bson_error_t problem{};
    bson_t reply;
    auto const* name = how_.database.c_str();
    // Only the second function lets the driver retry by itself, if the URL asks for it.
    bool const done =
        kind == command_kind::read || options || !how_.retry_writes
            ? mongoc_client_command_with_opts(with.get(), name, &command, nullptr, given.get(), &reply, &problem)
            : mongoc_client_write_command_with_opts(with.get(), name, &command, given.get(), &reply, &problem);
    out.body = bson::document(reply);
    bson_destroy(&reply);
    out.problem = error_within(*out.body.get());
    if (!out.problem && !done) out.problem = failure_of(problem, *out.body.get());
    if (out.problem && kind == command_kind::write && !options) doubt_retried(*out.problem, problem);
    return out;
}

answer client_pool::once(command_kind kind, bson_t const& command, steady_time deadline) {
    return within(kind, command, one_try(deadline));
}

answer client_pool::within(command_kind kind, bson_t const& command, steady_time deadline) {
    loan const with(*this);
    return once(with, kind, command, deadline);
}

steady_time one_try(steady_time deadline) {
    auto const now = steady_clock::now();
    return std::min(deadline,
                    now + std::clamp<steady_clock::duration>((deadline - now) / 2, shortest_try, longest_try_of_all));
}

answer client_pool::insert(char const* collection, bson_t const& document, steady_time end, route& via) {
    auto const deadline = one_try(end);
    answer out;
    if (steady_clock::now() >= std::min(deadline, time_limit::end())) {
        out.problem = failure{severity::not_done, errc::timeout, "no time left", 0, false, false};
        return out;
    }
    time_limit const bounded(deadline);
    loan const with(*this);
    bson_error_t problem{};
    // An explicit session records the operation time. Old standalone servers have no sessions.
    session_ptr const own(mongoc_client_start_session(with.get(), nullptr, &problem));
    if (!own && problem.domain == MONGOC_ERROR_SERVER_SELECTION) {
        out.problem = failure_of(problem, *out.body.get());
        return out;
    }
    bson::document options;
    bson::builder(options).add("writeConcern", write_concern(deadline)).add("validate", false);
    if (own) mongoc_client_session_append(own.get(), options.get(), &problem);
    std::unique_ptr<mongoc_collection_t, collection_deleter> const target(
        mongoc_client_get_collection(with.get(), how_.database.c_str(), collection));
    bson_t reply;
    forget_route();
    bool const done = mongoc_collection_insert_one(target.get(), &document, options.get(), &reply, &problem);
    via = last_route();
    bson::document const body(reply);
    bson_destroy(&reply);
    out.problem = error_within(*body);
    if (!out.problem && !done) out.problem = failure_of(problem, *body);
    if (out.problem) doubt_retried(*out.problem, problem);
    std::uint32_t seconds = 0;
    std::uint32_t increment = 0;
    if (own) mongoc_client_session_get_operation_time(own.get(), &seconds, &increment);
    if (seconds != 0) bson::builder(out.body).timestamp("operationTime", seconds, increment);
    return out;
}

void client_pool::doubt_retried(failure& of, bson_error_t const& problem) const {
    bool const nothing_sent = problem.domain == MONGOC_ERROR_SERVER_SELECTION;
    if (how_.retry_writes && of.how == severity::not_done && !nothing_sent) of.how = severity::unknown;
}

failure client_pool::failure_of(bson_error_t const& problem, bson_t const& reply) const {
    auto out = classify(problem, reply);
    if (problem.domain == MONGOC_ERROR_SERVER_SELECTION) out.text = without_server(how_.uri.get(), problem.message);
    return out;
}

bson::document client_pool::run(char const* operation, command_kind kind, bson_t const& command, steady_time deadline,
                                bool* in_doubt, milliseconds longest_try) {
    bool maybe_done = false;
    for (int tries = 1;; ++tries) {
        auto const longest = std::max(longest_try, shortest_try);
        auto got = within(kind, command, std::min(one_try(deadline), steady_clock::now() + longest));
        if (in_doubt) *in_doubt = maybe_done;
        if (!got.problem) return std::move(got.body);
        maybe_done = maybe_done || got.problem->how == severity::unknown;
        if (got.problem->how == severity::refused || !pause_before_retry(tries, deadline))
            throw problem(operation, kind, *got.problem, maybe_done);
    }
}

bool client_pool::insert_if_absent(char const* operation, bson_t const& command, steady_time deadline) {
    bool maybe_done = false;
    for (int tries = 1;; ++tries) {
        auto const got = once(command_kind::write, command, deadline);
        if (!got.problem) return true;
        if (got.problem->server_code == duplicate_key) return false;
        maybe_done = maybe_done || got.problem->how == severity::unknown;
        if (got.problem->how == severity::refused || !pause_before_retry(tries, deadline))
            throw problem(operation, command_kind::write, *got.problem, maybe_done);
    }
}

error client_pool::problem(char const* operation, command_kind kind, failure const& why, bool maybe_done) const {
    auto code = errc::unavailable;
    if (kind == command_kind::write && maybe_done)
        code = errc::outcome_unknown;  // also if a later try was refused
    else if (why.how == severity::refused)
        code = why.code;
    return error(code,
                 "MongoDB at " + how_.hosts + ", database '" + how_.database + "', " + operation + ": " + why.text);
}

bool pause_before_retry(int tries, steady_time deadline) {
    milliseconds const most(std::min(10 << std::min(tries, 6), 500));
    auto const delay = at_random(most / 2, most);
    if (steady_clock::now() + delay >= std::min(deadline, time_limit::end())) return false;
    std::this_thread::sleep_for(delay);
    return true;
}

}  // namespace minibatch::store::mongo
