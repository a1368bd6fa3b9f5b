#include "reliability/worker.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <iostream>

namespace minibatch::test {

std::string job::text(std::string const& name, std::string const& otherwise) const {
    auto const found = values.find(name);
    return found == values.end() ? otherwise : found->second;
}

std::int64_t job::number(std::string const& name, std::int64_t otherwise) const {
    auto const found = values.find(name);
    return found == values.end() ? otherwise : std::stoll(found->second);
}

asio::awaitable<stream> open_numbers(job const& given) {
    auto const url = given.database.find("://") == std::string::npos ? "sqlite:" + given.database : given.database;
    auto const db = co_await connect(url);
    stream_options options;
    options.partitions = static_cast<int>(given.number("partitions", 1));
    std::string const stream_name = "numbers";
    co_return co_await stream::get_or_create(db, stream_name, options);
}

}  // namespace minibatch::test

int main(int count, char** words) {
    using namespace minibatch::test;
    if (count < 5) {
        std::cerr << "usage: reliability_worker produce|consume DATABASE REPORT RUN [NAME=VALUE …]\n";
        return 2;
    }
    job given{words[1], words[2], words[3], std::stoi(words[4]), {}};
    for (int i = 5; i < count; ++i) {
        std::string const word = words[i];
        auto const equals = word.find('=');
        if (equals == std::string::npos) {
            std::cerr << "not NAME=VALUE: " << word << '\n';
            return 2;
        }
        given.values[word.substr(0, equals)] = word.substr(equals + 1);
    }
    try {
        asio::io_context context;
        std::exception_ptr problem;
        auto const keep = [&](std::exception_ptr thrown) { problem = thrown; };
        if (given.role == "produce") {
            asio::co_spawn(context, produce(given), keep);
        } else if (given.role == "consume") {
            asio::co_spawn(context, consume(given), keep);
        } else {
            std::cerr << "no such role: " << given.role << '\n';
            return 2;
        }
        context.run();
        if (problem) std::rethrow_exception(problem);
    } catch (std::exception const& problem) {
        std::cerr << given.role << ", run " << given.run << ": " << problem.what() << '\n';
        return 1;
    }
}
