#include "power_cuts/workload.hpp"

#include <sqlite3.h>

#include <algorithm>

#include "power_cuts/recording_vfs.hpp"

namespace minibatch::test {
namespace {

using outcome = operation::outcome;

store::steady_time shortly() { return std::chrono::steady_clock::now() + std::chrono::milliseconds(250); }

template <class Result>
Result const* good(store::write_result const& result) {
    return std::get_if<Result>(&result);
}

}  // namespace

workload::workload(disk const& on, std::string parameters, decorator decorate)
    : disk_(on), parameters_(std::move(parameters)), decorate_(std::move(decorate)) {}

/// Opens what is not open. False when that fails.
bool workload::ready() {
    try {
        if (!store_) {
            time_->time += 100'000;
            lease_.reset();
            store::open_options options;
            options.time = time_;
            options.timeout = std::chrono::milliseconds(250);
            store_ = store::open_store("sqlite:" + (disk_.root() / database_name()).string() + parameters_, options);
            if (decorate_) store_ = decorate_(store_);
            ++lives_;
        }
        if (!log_) log_ = store::log_id{store_->open_stream("s", 1, {}, shortly()).incarnation, 0};
        if (!lease_) {
            store::group_id const group{*log_, "g"};
            store_->register_group(group, store::start_position::earliest, false, shortly());
            store::acquire_request request;
            request.group = group;
            request.owner = "owner";
            request.acquisition = "life-" + std::to_string(lives_);
            request.duration = std::chrono::milliseconds(10'000);
            // The lease of the life before is over, as a standby that has waited knows.
            for (auto const& group_found : store_->list_groups(log_->incarnation, shortly()))
                request.unchanged = group_found.held;
            auto const results = write({request});
            auto const* const got = good<store::acquire_result>(results[0]);
            if (!got || !got->granted) {
                obstacle_ = got ? "the lease is not granted" : std::get<error>(results[0]).diagnostics();
                return false;
            }
            lease_ = *got;
        }
        return true;
    } catch (error const& failure) {
        obstacle_ = failure.diagnostics();
        return false;
    }
}

operation& workload::begin(operation::kind what) {
    operation one;
    one.what = what;
    one.number = static_cast<int>(operations_.size()) + 1;
    one.begun = disk_.size();
    return operations_.emplace_back(one);
}

void workload::end(operation& which, store::write_result const& result) {
    which.ended = disk_.size();
    which.result = outcome::done;
    if (auto const* const problem = std::get_if<error>(&result)) {
        which.result = problem->code() == errc::outcome_unknown ? outcome::unknown : outcome::refused;
        which.problem = problem->diagnostics();
    }
}

std::vector<store::write_result> workload::write(std::vector<store::write_request> requests) {
    std::vector<store::write_job> jobs;
    for (auto& request : requests) jobs.push_back({std::move(request), {}});
    store_->write(jobs, shortly());
    std::vector<store::write_result> results;
    for (auto& job : jobs) results.push_back(std::move(job.result));
    return results;
}

store::append_request workload::segment(operation const& of, std::size_t bytes) {
    log::segment_text text;
    for (int i = 0; i < of.messages; ++i)
        text.add("{\"operation\":" + std::to_string(of.number) + ",\"i\":" + std::to_string(i) + ",\"x\":\"" +
                 std::string(bytes, 'x') + "\"}");
    store::append_request request;
    request.log = *log_;
    request.batch = "batch " + std::to_string(of.number);
    request.count = of.messages;
    request.text = std::make_shared<std::string const>(text.finish());
    last_ = request;
    return request;
}

void workload::note(operation const& appended, store::write_result const& result) {
    auto const* const got = good<store::append_result>(result);
    if (!got) {
        last_.reset();
        return;
    }
    operations_[static_cast<std::size_t>(appended.number) - 1].first = got->first;
    appended_.push_back({got->number, got->first + appended.messages});
}

store::commit_request workload::next_commit(operation& of) {
    auto const& upto = appended_[committed_++];
    of.low = upto.end;
    store::commit_request request;
    request.group = {*log_, "g"};
    request.epoch = lease_->held.epoch;
    request.state = lease_->state;
    request.state.low = upto.end;
    request.state.low_number = upto.number + 1;
    request.writes = {
        {store::document_write::kind::insert, "done", "", 0, "{\"commit\":" + std::to_string(of.number) + "}"}};
    return request;
}

void workload::append(int messages, std::size_t bytes) {
    if (!ready()) return;
    auto& one = begin(operation::kind::append);
    one.messages = messages;
    auto const results = write({segment(one, bytes)});
    end(one, results[0]);
    note(one, results[0]);
}

void workload::append_together(int jobs) {
    if (!ready()) return;
    std::vector<store::write_request> requests;
    if (last_) requests.emplace_back(*last_);
    auto const skipped = requests.size();
    auto const first = operations_.size();
    for (int i = 0; i < jobs; ++i) {
        auto& one = begin(operation::kind::append);
        one.messages = 1 + i;
        requests.emplace_back(segment(one, 10));
    }
    bool const commits = committed_ < appended_.size();
    if (commits) requests.emplace_back(next_commit(begin(operation::kind::commit)));
    auto const results = write(std::move(requests));
    for (auto i = first; i < operations_.size(); ++i) {
        auto& one = operations_[i];
        end(one, results[skipped + i - first]);
        if (one.what == operation::kind::append) note(one, results[skipped + i - first]);
    }
}

void workload::commit() {
    if (!ready() || committed_ == appended_.size()) return;
    auto& one = begin(operation::kind::commit);
    auto request = next_commit(one);
    end(one, write({std::move(request)})[0]);
}

void workload::trim() {
    if (ready()) write({store::trim_request{*log_}});
}

void workload::seal() {
    if (!ready()) return;
    time_->time += 10;
    last_.reset();  // it is no longer the last record, and would be stored again
    write({store::seal_request{*log_, time_->time}});
}

void workload::maintain() {
    try {
        if (ready()) store_->maintain(shortly());
    } catch (error const&) {
    }
}

void workload::checkpoint(int mode) {
    sqlite3* other = nullptr;
    if (sqlite3_open((disk_.root() / database_name()).c_str(), &other) == SQLITE_OK) {
        sqlite3_exec(other, "SELECT count(*) FROM sqlite_schema", nullptr, nullptr, nullptr);
        sqlite3_wal_checkpoint_v2(other, "main", mode, nullptr, nullptr);
    }
    sqlite3_close(other);
}

void workload::close() {
    store_.reset();
    lease_.reset();
}

void workload::kill() {
    recording_vfs::instance().kill();
    close();
    recording_vfs::instance().revive();
}

int workload::count(outcome result) const {
    return static_cast<int>(std::count_if(operations_.begin(), operations_.end(),
                                          [result](auto const& one) { return one.result == result; }));
}

}  // namespace minibatch::test
