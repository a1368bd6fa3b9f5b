#include "support/options.hpp"

#include <cstdio>
#include <stdexcept>

namespace bench {

options parse(int argc, char** argv) {
    options chosen;
    chosen.dir = std::filesystem::read_symlink("/proc/self/exe").parent_path() / "data";
    std::vector<std::string> const arguments(argv + 1, argv + argc);
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        auto const& name = arguments[i];
        auto const value = [&] {
            if (i + 1 == arguments.size()) throw std::invalid_argument(name + " needs a value");
            return arguments[++i];
        };
        if (name == "--quick")
            chosen.quick = true;
        else if (name == "--ours")
            chosen.ours_alone = true;
        else if (name == "--dir")
            chosen.dir = value();
        else if (name == "--rounds")
            chosen.rounds = std::stoi(value());
        else if (name == "--count")
            chosen.count = std::stoll(value());
        else if (name == "--in-flight")
            chosen.in_flight = std::stoi(value());
        else if (name == "--python")
            chosen.python = value();
        else if (name == "--child") {
            chosen.child.assign(arguments.begin() + static_cast<std::ptrdiff_t>(i) + 1, arguments.end());
            break;
        } else
            throw std::invalid_argument("unknown option '" + name + "'");
    }
    std::filesystem::create_directories(chosen.dir);
    return chosen;
}

int run_program(int argc, char** argv, std::function<void(options const&)> const& body) {
    try {
        body(parse(argc, argv));
        return 0;
    } catch (std::exception const& problem) {
        std::fprintf(stderr, "%s: %s\n", argv[0], problem.what());
        return 1;
    }
}

void require(bool holds, std::string const& what) {
    if (!holds) throw std::runtime_error("the check failed: " + what);
}

}  // namespace bench
