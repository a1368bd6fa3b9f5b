#pragma once

#include "runtime/partition_session.hpp"
#include "support/rig.hpp"

namespace minibatch::test {

/// The parts of a partition worker, one by one, on a store in memory. The group has its lease; no worker runs.
class worker_parts : public world, public runtime::progress_saver::listener {
  public:
    explicit worker_parts(strategy how = count_window(2), consumer_options options = {})
        : base(memory()),
          remote(std::make_shared<remote_store>(base)),
          faulty(std::make_shared<failing_store>(remote)),
          record(base->open_stream("readings", 1, {}, time->now())),
          group{{record.incarnation, 0}, "g"},
          engine(std::make_shared<runtime::engine>(make_environment(), std::size_t{64} << 20)),
          member(std::make_shared<runtime::group_member>(engine, record, std::move(how), options)),
          budget(engine->env),
          of_worker{*member, *engine, engine->env, habits, group, budget, wake} {
        base->register_group(group, minibatch::store::start_position::earliest, options.keep, time->now());
        granted = write<minibatch::store::acquire_result>(
            minibatch::store::acquire_request{group, "owner", "id", milliseconds(10'000), {}});
        lease.emplace(group, granted.held.epoch, milliseconds(10'000), time->now());
        tracker.emplace(granted.state);
        pending.emplace(granted.state);
        trimmer = std::make_shared<runtime::log_trimmer>(of_worker, 0);
        saver = std::make_shared<runtime::progress_saver>(of_worker, *lease, *tracker, *trimmer, *this);
        windows.emplace(of_worker, *lease, *tracker, *saver);
        reader.emplace(of_worker, *pending, *tracker,
                       [this](minibatch::store::time_range, std::int64_t count) { lost += count; });
    }
    ~worker_parts() override {
        if (saver) saver->end("the test is over");
        trimmer->end();
        engine->stop();
        settle();
    }

    template <class Result, class Request>
    Result write(Request request) {
        minibatch::store::write_job job{std::move(request), {}};
        base->write({&job, 1}, time->now());
        return std::get<Result>(job.result);
    }
    /// By another process.
    void append(int messages) {
        log::segment_text text;
        for (int i = 0; i < messages; ++i) text.add(R"({"value":)" + std::to_string(i) + "}");
        write<minibatch::store::append_result>(minibatch::store::append_request{
            group.log, {}, messages, std::make_shared<std::string const>(text.finish())});
    }
    /// A window of these messages, which a caller holds.
    runtime::window_ptr deliver(std::int64_t first, std::int64_t end) {
        windowing::cut made;
        made.offsets = {{first, end}};
        made.first = first;
        made.last = end - 1;
        made.rebuildable = true;
        auto const handle = tracker->open(made);
        auto window =
            std::make_shared<runtime::window_record>("g/0/" + std::to_string(first), record.name, 0, made,
                                                     std::weak_ptr<runtime::partition_worker>(), handle, nullptr);
        window->now = runtime::window_record::state::delivered;
        window->delivery = 1;
        windows->add(window);
        return window;
    }
    minibatch::store::progress stored() { return base->list_groups(record.incarnation, time->now()).at(0).state; }
    std::int64_t floor() { return base->state(group.log, time->now()).floor.number; }

    /// How an operation ended: "waits", "done", or the name of its error.
    struct outcome {
        std::shared_ptr<std::string> text = std::make_shared<std::string>("waits");
        detail::callback<> call() const {
            return
                [text = text](std::optional<error> problem) { *text = problem ? problem->code().message() : "done"; };
        }
    };

    std::shared_ptr<minibatch::store::store> const base;
    std::shared_ptr<remote_store> const remote;
    std::shared_ptr<failing_store> const faulty;
    minibatch::store::stream_record const record;
    minibatch::store::group_id const group;
    std::shared_ptr<runtime::engine> const engine;
    std::shared_ptr<runtime::group_member> const member;
    runtime::wake_signal wake;
    runtime::wait_budget budget;
    minibatch::store::tuning habits;
    runtime::partition_context const of_worker;
    minibatch::store::acquire_result granted;
    std::optional<runtime::lease_session> lease;
    std::optional<windowing::progress_tracker> tracker;
    std::optional<windowing::pending_log> pending;
    std::shared_ptr<runtime::log_trimmer> trimmer;
    std::shared_ptr<runtime::progress_saver> saver;
    std::optional<runtime::window_book> windows;
    std::optional<runtime::log_reader> reader;
    std::int64_t lost = 0;
    bool was_fenced = false;

  private:
    runtime::environment make_environment() {
        runtime::environment env;
        env.loop = env.workers = context.get_executor();
        env.time = time;
        env.database = faulty;
        env.log = [lines = logged](log_level, std::string_view text) { lines->emplace_back(text); };
        return env;
    }
    void fenced() override {
        was_fenced = true;
        lease->end();
        windows->close_all("fenced");
        saver->end("fenced");
    }
    std::vector<runtime::window_ptr> save_ended(std::vector<runtime::window_ptr> const& covered,
                                                std::optional<error> const& problem) override {
        return windows->save_ended(covered, problem);
    }
};

}  // namespace minibatch::test
