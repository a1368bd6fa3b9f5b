#include "reliability/chaos.hpp"

#include <algorithm>
#include <csignal>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace minibatch::test {
namespace {

using std::chrono::steady_clock;

/// More than any of these ends may take, on a slow machine with sanitizers as well.
constexpr milliseconds end_limit{120'000};

/// The run that the end of the report speaks of.
int latest_consumer(std::string const& path) {
    std::ifstream in(path, std::ios::ate);
    if (!in) return 0;
    auto const size = static_cast<std::streamoff>(in.tellg());
    in.seekg(std::max<std::streamoff>(size - 65'536, 0));
    int run = 0;
    for (std::string line; std::getline(in, line);) {
        std::istringstream words(line);
        std::string what;
        int found = 0;
        if (is_whole(line) && words >> what >> found && what.starts_with("commit")) run = found;
    }
    return run;
}

}  // namespace

chaos::chaos(std::uint64_t seed, settings common, settings consuming, std::string url)
    : url_(std::move(url)), random_(seed), common_(std::move(common)), consuming_(std::move(consuming)) {
    int number = 0;
    for (auto const* mode : {"single", "range", "buffered"}) {
        ++number;
        producers_.emplace_back();
        auto& made = producers_.back();
        made.role = "produce";
        made.report = directory_ / ("producer" + std::to_string(number));
        made.values = {"producer=" + std::to_string(number), std::string("mode=") + mode};
    }
    for (int i = 0; i < 3; ++i) {
        consumers_.emplace_back();
        consumers_.back().role = "consume";
        consumers_.back().report = directory_ / "consumers";
        consumers_.back().values = consuming_;
    }
}

void chaos::start(place& at) {
    at.run = ++runs_;
    at.stopped = false;
    std::vector<std::string> words{MINIBATCH_RELIABILITY_WORKER, at.role, database(), at.report,
                                   std::to_string(at.run)};
    words.insert(words.end(), common_.begin(), common_.end());
    words.insert(words.end(), at.values.begin(), at.values.end());
    at.now = std::make_unique<process>(words, errors());
}

void chaos::run(int kills, std::function<void(int)> const& each) {
    for (auto& at : producers_) start(at);
    for (auto& at : consumers_) start(at);
    for (int killed = 0; killed < kills;) {
        watch(milliseconds(5 + below(56)));
        if (below(5) == 0) {
            auto& sleeper = consumers_[static_cast<std::size_t>(below(3))];
            if (sleeper.stopped) continue;
            sleeper.now->signal(SIGSTOP);
            sleeper.stopped = true;
            sleeper.resume_at = steady_clock::now() + milliseconds(5 + below(700));
            stopped_.insert(sleeper.run);
            continue;
        }
        auto& chosen = victim();
        chosen.now->kill();
        ++killed;
        start(chosen);
        if (each) each(killed);
    }
}

chaos::place& chaos::victim() {
    if (below(2) == 0) {
        auto const working = latest_consumer(directory_ / "consumers");
        for (auto& each : consumers_)
            if (each.run == working) return each;
    }
    auto const which = static_cast<std::size_t>(below(6));
    return which < 3 ? producers_[which] : consumers_[which - 3];
}

void chaos::resume_due() {
    for (auto& each : consumers_) {
        if (!each.stopped || steady_clock::now() < each.resume_at) continue;
        each.now->signal(SIGCONT);
        each.stopped = false;
    }
}

/// Nobody may end without having been killed.
void chaos::watch(milliseconds limit) {
    resume_due();
    std::vector<process const*> all;
    for (auto const& each : producers_) all.push_back(each.now.get());
    for (auto const& each : consumers_) all.push_back(each.now.get());
    if (!any_ended(all, limit)) return;
    for (auto* group : {&producers_, &consumers_})
        for (auto& each : *group)
            if (each.now->ended(milliseconds(0))) fail(each, "ended by itself");
}

void chaos::end(place& at) {
    at.now->signal(SIGCONT);
    at.now->signal(SIGTERM);
    if (!at.now->ended(end_limit)) fail(at, "did not end in time");
    // It may not have got as far as to wait for the signal.
    if (at.now->result() != 0 && at.now->result() != -SIGTERM) fail(at, "failed");
}

void chaos::finish() {
    for (auto& each : consumers_) each.now->signal(SIGCONT);
    for (auto& each : producers_) end(each);
    for (auto& each : consumers_) end(each);
    place last;
    last.role = "consume";
    last.report = directory_ / "consumers";
    last.values = consuming_;
    last.values.emplace_back("drain=1");
    start(last);
    if (!last.now->ended(end_limit)) fail(last, "did not end in time");
    if (last.now->result() != 0) fail(last, "failed");
}

history chaos::reports() const {
    history all;
    for (auto const& each : producers_) read_report(whole_lines(each.report), all);
    read_report(whole_lines(directory_ / "consumers"), all);
    all.stopped = stopped_;
    return all;
}

void chaos::fail(place const& at, std::string const& what) const {
    std::ostringstream text;
    text << at.role << ", run " << at.run << ' ' << what << ", result " << at.now->result() << '\n'
         << std::ifstream(errors()).rdbuf();
    throw std::runtime_error(text.str());
}

}  // namespace minibatch::test
