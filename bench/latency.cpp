// From the end of a lone append to the delivery of its window, in one process and between two; and the processor use of
// waiting consumers.
#include "support/coroutine.hpp"
#include "support/lone_appends.hpp"
#include "support/options.hpp"
#include "support/temporary.hpp"
#include "support/waiting.hpp"

namespace {

using namespace std::chrono_literals;

boost::asio::awaitable<void> connect(std::string url, minibatch::database& result) {
    result = co_await minibatch::connect(url);
}

void body(bench::options const& options) {
    if (!options.child.empty()) return bench::append_in_child(options.child);
    auto const count = options.documents(2'000, 300);
    {
        bench::temporary_directory const directory(options.dir);
        bench::lone_appends_in_one("end of a lone append → its window, one process", directory.url(), count, 0.2);
    }
    {
        bench::temporary_directory const directory(options.dir);
        bench::lone_appends_between_two("end of a lone append → its window, between two processes", directory.url(),
                                        count, 5);
    }
    bench::temporary_directory const directory(options.dir);
    minibatch::database database;
    bench::run(connect(directory.url(), database));
    bench::waiting_consumers consumers(database);
    bench::print_waiting("100 waiting consumers", consumers.processor_share(options.quick ? 7s : 30s));
}

}  // namespace

int main(int argc, char** argv) { return bench::run_program(argc, argv, body); }
