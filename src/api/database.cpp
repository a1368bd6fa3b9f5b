#include <future>
#include <minibatch/database.hpp>
#include <thread>

#include "api/database_core.hpp"
#include "api/run_blocking.hpp"
#include "api/stream_core.hpp"
#include "api/to_error.hpp"
#include "base/start_thread.hpp"
#include "runtime/coroutine.hpp"
#include "runtime/group_removal.hpp"
#include "store/names.hpp"

namespace minibatch {
namespace detail {
namespace {

store::stream_record find(store::store& database, std::string const& name, store::steady_time deadline) {
    store::check_name("stream", name);
    auto record = database.find_stream(name, deadline);
    if (!record) throw error(errc::stream_not_found, "there is no stream '" + name + "'");
    return std::move(*record);
}

/// The handle is let go before the operation completes: the last one should end where the caller ends it.
asio::awaitable<void> remove_group(std::shared_ptr<database_core> core, std::string stream_name, std::string group) {
    auto const& env = core->env();
    runtime::wait_budget bounds(env);
    auto look = [&env, stream_name, group, deadline = env.deadline()] {
        auto const record = find(*env.database, stream_name, deadline);
        store::check_name("group", group);
        return record.incarnation;
    };
    auto const incarnation = co_await runtime::on_worker(env, bounds, std::move(look));
    if (!co_await runtime::remove_group(env, incarnation, group))
        throw error(errc::group_not_found, "stream '" + stream_name + "' has no group '" + group + "'");
}

/// The thread that opens a database. The completion handler joins it: only then has the thread released the caller's
/// executor, which its owner may destroy next.
class opener {
  public:
    opener() = default;
    ~opener() { join(); }
    opener(opener const&) = delete;
    opener& operator=(opener const&) = delete;

    /// Throws `error` when no thread can be started.
    template <class Work>
    void start(Work work) {
        thread_ = base::start_thread("minibatch", [work = std::move(work), stored = stored_.get_future()]() mutable {
            stored.wait();  // join() needs the thread object
            work();
        });
        stored_.set_value();
    }
    void join() {
        if (!thread_.joinable()) return;
        if (thread_.get_id() == std::this_thread::get_id())
            thread_.detach();
        else
            thread_.join();
    }

  private:
    std::promise<void> stored_;
    std::thread thread_;
};

/// Nothing may leave the thread that opens, not even the executor's refusal.
void complete(operation<database>& op, std::optional<error> problem, database opened,
              log_callback const& log) noexcept {
    try {
        op.complete(std::move(problem), std::move(opened));
    } catch (...) {
        if (log) log(log_level::error, base::current_error("completing connect").what());
    }
}

}  // namespace

void start_connect(std::string url, connect_options options, completion<database> done) {
    // Without a handle there are no worker threads. Opening may block, so it gets a thread of its own.
    auto const own = std::make_shared<opener>();
    done.handler = [own, handler = std::move(done.handler)](std::optional<error> problem, database opened) mutable {
        own->join();
        std::move(handler)(std::move(problem), std::move(opened));
    };
    auto const op = std::make_shared<operation<database>>(std::move(done));
    try {
        own->start([url = std::move(url), options = std::move(options), op] {
            std::optional<error> problem;
            database opened;
            try {
                opened = database(database_core::open(url, options));
            } catch (...) {
                problem = base::current_error("connect");
            }
            complete(*op, std::move(problem), std::move(opened), options.log);
        });
    } catch (...) {
        op->fail(base::current_error("connect"));
    }
}

}  // namespace detail

void database::start_streams(std::shared_ptr<detail::database_core> const& core,
                             detail::completion<std::vector<std::string>> done) {
    using names = std::vector<std::string>;
    detail::run_blocking<names>(core, detail::call_effect::reads, std::move(done),
                                [](store::store& db, store::steady_time deadline) {
                                    names found;
                                    for (auto& record : db.list_streams(deadline))
                                        found.push_back(std::move(record.name));
                                    return found;
                                });
}

void database::start_find(std::shared_ptr<detail::database_core> const& core, std::string name,
                          detail::completion<stream> done) {
    detail::run_blocking<stream>(core, detail::call_effect::reads, std::move(done),
                                 [core, name = std::move(name)](store::store& db, store::steady_time deadline) {
                                     auto record = detail::find(db, name, deadline);
                                     if (record.limits.any()) core->engine()->retain(record);
                                     return stream(std::make_shared<detail::stream_core>(core, std::move(record)));
                                 });
}

void database::start_delete(std::shared_ptr<detail::database_core> const& core, std::string name,
                            detail::completion<> done) {
    detail::run_blocking(core, detail::call_effect::writes, std::move(done),
                         [core, name = std::move(name)](store::store& db, store::steady_time deadline) {
                             auto const record = detail::find(db, name, deadline);
                             if (!db.delete_stream(name, record.incarnation, deadline))
                                 throw error(errc::stream_not_found, "there is no stream '" + name + "'");
                             core->engine()->newest.drop(record.incarnation);
                         });
}

void database::start_delete_group(std::shared_ptr<detail::database_core> const& core, std::string stream_name,
                                  std::string group, detail::completion<> done) {
    auto begun = core->begin(std::move(done));
    if (!begun) return;
    auto cancel = [](detail::shared_operation<>& of, detail::asio::cancellation_type type) {
        if (detail::may_leave_open(type) && of.claim())
            of.done.fail(error(errc::outcome_unknown, "the removal of the group was cancelled on its way"));
    };
    auto const op = detail::share(std::move(*begun), std::move(cancel));
    auto const loop = core->env().loop;
    auto removal = detail::remove_group(core, std::move(stream_name), std::move(group));
    detail::asio::co_spawn(loop, std::move(removal), [op](std::exception_ptr const& failed) {
        if (op->claim()) op->done.complete(detail::to_error(failed));
    });
}

}  // namespace minibatch
