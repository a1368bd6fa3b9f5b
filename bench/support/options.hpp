#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace bench {

/// What all benchmark programs understand:
/// `--quick` (small amounts, for trying), `--dir DIR` (where databases are made), `--rounds N`, `--count N`
/// (documents),
/// `--in-flight N`, `--python PATH` (an interpreter that has the Python peers), `--ours` (without the peers, for
/// profiling). What follows `--child` are the arguments of a process that a benchmark starts itself.
struct options {
    bool quick = false;
    bool ours_alone = false;
    std::filesystem::path dir;
    int rounds = 3;
    std::int64_t count = 0;
    int in_flight = 0;
    std::string python;
    std::vector<std::string> child;

    /// The number of documents: the one given by `--count`, else the usual one.
    std::int64_t documents(std::int64_t usual, std::int64_t quick_one) const {
        return count > 0 ? count : quick ? quick_one : usual;
    }
};

options parse(int argc, char** argv);

/// Runs a benchmark program: parses the options and prints what it throws. Returns the exit status.
int run_program(int argc, char** argv, std::function<void(options const&)> const& body);

/// Throws unless the work that is measured was done.
void require(bool holds, std::string const& what);

}  // namespace bench
