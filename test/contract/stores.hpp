#pragma once

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <memory>
#include <string>
#include <vector>

#include "store/open.hpp"
#include "support/background_closer.hpp"
#include "support/chosen_stores.hpp"
#include "support/fake_clock.hpp"
#include "support/temporary_directory.hpp"

namespace minibatch::test {

using namespace store;

/// The stores that the contract is checked on, see support/chosen_stores.hpp.
inline auto every_store() { return boost::unit_test::data::make(chosen_stores()); }

inline steady_time soon() { return std::chrono::steady_clock::now() + std::chrono::seconds(20); }

/// An empty store, and short names for what the tests do with it.
struct rig {
    explicit rig(std::string const& kind) : url(fresh_url(kind)) { db = another(); }
    /// One more handle on the same content.
    std::shared_ptr<minibatch::store::store> another() const {
        open_options options;
        options.time = time;
        auto made = open_store(url, options);
        return url.starts_with("mongodb") ? background_closer::shared().wrap(std::move(made)) : made;
    }

    log_id make(std::string const& name = "s", std::optional<retention> limits = {}) const {
        return {db->open_stream(name, 1, limits, soon()).incarnation, 0};
    }
    template <class Result, class Request>
    Result write(Request request) const {
        return write_with<Result>(*db, std::move(request));
    }
    template <class Result, class Request>
    static Result write_with(minibatch::store::store& to, Request request) {
        write_job job{std::move(request), {}};
        to.write({&job, 1}, soon());
        if (auto const* failure = std::get_if<error>(&job.result)) throw *failure;
        return std::get<Result>(job.result);
    }
    append_result append(log_id log, int count = 1) const { return append_with(*db, log, count); }
    static append_request segment(log_id log, int count = 1, std::string batch = {}) {
        log::segment_text text;
        for (int i = 0; i < count; ++i) text.add("{\"i\":" + std::to_string(i) + "}");
        return {log, std::move(batch), count, std::make_shared<std::string const>(text.finish())};
    }
    static append_result append_with(minibatch::store::store& to, log_id log, int count = 1) {
        return write_with<append_result>(to, segment(log, count));
    }
    seal_result seal(log_id log, time_ms until) const { return write<seal_result>(seal_request{log, until}); }
    trim_result trim(log_id log, int most = 256) const { return write<trim_result>(trim_request{log, most}); }
    group_state enroll(log_id log, std::string const& name = "g", bool keep = false,
                       start_position start = start_position::earliest) const {
        return db->register_group({log, name}, start, keep, soon());
    }
    acquire_result acquire(group_id const& group, std::string const& id, std::optional<lease> unchanged = {}) const {
        return write<acquire_result>(
            acquire_request{group, "owner of " + id, id, milliseconds(10'000), std::move(unchanged)});
    }
    void commit(group_id const& group, std::int64_t epoch, progress const& state,
                std::vector<document_write> writes = {}) const {
        write<done>(commit_request{group, epoch, state, std::move(writes)});
    }
    read_result read(log_id log, std::int64_t from = 0, read_limits limits = {}) const {
        return db->read(log, from, limits, soon());
    }
    log_state state(log_id log) const { return db->state(log, soon()); }

    std::string fresh_url(std::string const& kind) const {
        auto const made = empty_database(kind, directory.path());
        return kind == "sqlite" ? made + "?synchronous=normal" : made;
    }

    temporary_directory directory;
    std::shared_ptr<fake_clock> time = std::make_shared<fake_clock>();
    std::string url;
    std::shared_ptr<minibatch::store::store> db;
};

/// The code of the error that `action` throws. Its text is stored in `text`.
template <class Action>
error_code code_of(Action const& action, std::string* text = nullptr) {
    try {
        action();
    } catch (error const& failure) {
        if (text) *text = failure.diagnostics();
        return failure.code();
    }
    return {};
}

}  // namespace minibatch::test
