#include "store/mongo/wire/transaction.hpp"

#include <algorithm>

#include "store/time_limit.hpp"

namespace minibatch::store::mongo {
namespace {

struct options_deleter {
    void operator()(mongoc_transaction_opt_t* options) const noexcept { mongoc_transaction_opts_destroy(options); }
};
using options_ptr = std::unique_ptr<mongoc_transaction_opt_t, options_deleter>;

/// Snapshot reads, and the write concern of the store.
options_ptr options_of(settings const& how) {
    options_ptr out(mongoc_transaction_opts_new());
    std::unique_ptr<mongoc_read_concern_t, void (*)(mongoc_read_concern_t*)> const reading(mongoc_read_concern_new(),
                                                                                           mongoc_read_concern_destroy);
    mongoc_read_concern_set_level(reading.get(), MONGOC_READ_CONCERN_LEVEL_SNAPSHOT);
    mongoc_transaction_opts_set_read_concern(out.get(), reading.get());
    std::unique_ptr<mongoc_write_concern_t, void (*)(mongoc_write_concern_t*)> const writing(
        mongoc_write_concern_new(), mongoc_write_concern_destroy);
    if (how.majority_writes)
        mongoc_write_concern_set_w(writing.get(), MONGOC_WRITE_CONCERN_W_MAJORITY);
    else if (!how.tag.empty())
        mongoc_write_concern_set_wtag(writing.get(), how.tag.c_str());
    else
        mongoc_write_concern_set_w(writing.get(), how.acknowledgements);
    mongoc_write_concern_set_journal(writing.get(), how.journal);
    mongoc_transaction_opts_set_write_concern(out.get(), writing.get());
    return out;
}

constexpr std::int32_t no_such_transaction = 251;

}  // namespace

transaction::transaction(client_pool& clients, client_pool::session& in, steady_time deadline)
    : clients_(clients), in_(in), deadline_(deadline) {
    time_limit const bounded(one_try(deadline_));
    if (auto const why = in_.begin()) check(*why);
    in_.add_to(options_);
    bson_error_t problem{};
    auto const how = options_of(clients.how());
    if (!mongoc_client_session_start_transaction(in_.get(), how.get(), &problem)) {
        bson::document const nothing;
        auto why = classify(problem, *nothing.get());
        if (problem.domain == MONGOC_ERROR_TRANSACTION) why.code = errc::unsupported;
        check(why);
    }
}

transaction::~transaction() {
    if (committed_) return;
    // The time that is left, and a little more, since the locks block others.
    auto const until = std::max(deadline_, std::chrono::steady_clock::now() + milliseconds(100));
    time_limit const bounded(one_try(until), time_limit::apart{});
    // After a lost connection the driver needs a moment to find the server again.
    bson_error_t ignored{};
    for (int tries = 1; !reachable() && pause_before_retry(tries, until);) ++tries;
    static_cast<void>(in_.client().get());
    mongoc_client_session_abort_transaction(in_.get(), &ignored);
}

bson::document transaction::run(command_kind kind, bson_t const& command, bool contested) {
    auto got = clients_.once(in_.client(), kind, command, one_try(deadline_), options_.get());
    if (got.problem) check(*got.problem, contested);
    return std::move(got.body);
}

void transaction::commit() {
    for (int tries = 1;; ++tries) {
        bson_error_t problem{};
        bson_t reply;
        time_limit const bounded(one_try(deadline_));
        static_cast<void>(in_.client().get());
        bool const done = mongoc_client_session_commit_transaction(in_.get(), &reply, &problem);
        bson::document const body(reply);
        bson_destroy(&reply);
        if (done) {
            committed_ = true;
            return;
        }
        auto why = classify(problem, *body.get());
        // "No such transaction" may be reported by a server that is about to be replaced.
        bool const unknown = why.unknown_commit || why.how == severity::unknown ||
                             (why.server_code == no_such_transaction && !why.transient_transaction);
        if (!unknown) check(why);
        if (!pause_before_retry(tries, deadline_)) {
            committed_ = true;  // or not: an abort would not make the outcome known
            throw clients_.problem("commit", command_kind::write, why, true);
        }
    }
}

void transaction::check(failure why, bool contested) const {
    if (why.transient_transaction || why.how != severity::refused || (contested && why.server_code == duplicate_key)) {
        why.how = severity::not_done;
        throw transaction_conflict{why};
    }
    throw clients_.problem("commit", command_kind::write, why, false);
}

bool transaction::reachable() const {
    bson_error_t ignored{};
    auto* const server = mongoc_client_select_server(in_.client().get(), true, nullptr, &ignored);
    mongoc_server_description_destroy(server);
    return server != nullptr;
}

}  // namespace minibatch::store::mongo
