// From the end of a lone append to the delivery of its window in another process, on MongoDB; and what waiting costs.
#include "../test/support/counted_database.hpp"
#include "support/lone_appends.hpp"
#include "support/mongo_databases.hpp"
#include "support/options.hpp"
#include "support/report.hpp"
#include "support/waiting.hpp"

namespace {

using namespace std::chrono_literals;

void waiting(std::string const& url, bool quick) {
    minibatch::test::counted_database database(url);
    bench::waiting_consumers consumers(database.handle());
    database.take();
    auto const duration = quick ? 7s : 30s;
    bench::print_waiting("MongoDB: 100 waiting consumers", consumers.processor_share(duration));
    auto const counts = database.take();
    std::string kinds;
    std::int64_t others = 0;
    std::int64_t renewals = 0;
    for (auto const& [name, count] : counts) {
        auto const rate = static_cast<double>(count) / static_cast<double>(duration.count());
        kinds += (kinds.empty() ? "" : ", ") + name + " " + bench::fixed(rate, 2) + "/s";
        if (name == "update")
            renewals = count;
        else if (name != "getMore")
            others += count;
    }
    // One for all leases, every third of their 10 s; one more may happen to fall into the period.
    auto const expected = static_cast<double>(duration.count()) / (10.0 / 3) + 1;
    bench::print({"… commands meanwhile", kinds, "limit", "joint renewals (update) and the change stream (getMore)",
                  bench::fixed(static_cast<double>(renewals) / expected, 2), "≤ 1, no others",
                  others == 0 && static_cast<double>(renewals) <= expected});
}

void body(bench::options const& options) {
    if (!options.child.empty()) return bench::append_in_child(options.child);
    bench::mongo_databases databases(options);
    bench::lone_appends_between_two("MongoDB: end of a lone append → its window, between two processes",
                                    databases.fresh(), options.documents(2'000, 300), 10);
    waiting(databases.fresh(), options.quick);
}

}  // namespace

int main(int argc, char** argv) { return bench::run_program(argc, argv, body); }
