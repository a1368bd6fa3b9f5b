#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "tool/key_field.hpp"

namespace minibatch::tool {

using duration = std::chrono::milliseconds;

/// Where a new consumer group, or `peek`, begins.
enum class start_at { earliest, latest };

/// `minibatch append STREAM [FILE…|-] [--key FIELD] [--skip-bad]`
struct append_options {
    std::string stream;
    /// "-" is standard input; never empty after parsing.
    std::vector<std::string> files;
    std::optional<key_field> key;
    bool skip_bad = false;
};

/// `minibatch consume STREAM (--size N | --interval SECONDS [--fixed]) …`
struct consume_options {
    std::string stream;
    /// Exactly one of these two is set.
    std::optional<std::int64_t> size;
    std::optional<duration> interval;
    /// Only with `interval`.
    bool fixed = false;
    /// Only with `fixed`.
    duration window_offset{0};
    /// The name of a time zone. Only with `fixed`; empty when none was given.
    std::string time_zone;
    std::optional<duration> max_age;
    std::optional<std::int64_t> max_bytes;
    /// Only with `interval`.
    bool no_empty = false;
    std::string group = "default";
    bool keep = false;
    std::int64_t max_in_flight = 1;
    std::optional<std::int64_t> max_windows;
    /// Zero: leave as soon as nothing is there.
    std::optional<duration> idle_exit;
    start_at from = start_at::earliest;
    bool flush = false;
};

/// `minibatch peek STREAM [--from … | --last N] [--limit N] [--follow]`
struct peek_options {
    std::string stream;
    /// `latest` only with `follow`.
    start_at from = start_at::earliest;
    /// Not with `from`.
    std::optional<std::int64_t> last;
    bool follow = false;
    std::optional<std::int64_t> limit;
};

/// `minibatch streams`
struct streams_options {};

/// `minibatch info STREAM [--json]`
struct info_options {
    std::string stream;
    bool json = false;
};

/// `minibatch delete STREAM`
struct delete_options {
    std::string stream;
};

/// `minibatch groups delete STREAM GROUP`
struct delete_group_options {
    std::string stream;
    std::string group;
};

using command = std::variant<append_options, consume_options, peek_options, streams_options, info_options,
                             delete_options, delete_group_options>;

/// What the user asked for.
struct command_line {
    /// The URL given with --db; empty when none was.
    std::string db;
    /// How long a database that is away, busy or full is waited for. Zero: for ever.
    duration timeout{30'000};
    command what;
};

/// The program is to print this and exit: help, the version, or what is wrong with the arguments.
struct early_exit {
    int code = 0;
    /// For standard output.
    std::string out;
    /// For standard error.
    std::string err;
};

/// Reads the arguments, `argv[0]` included. Never throws because of what they are.
std::variant<command_line, early_exit> parse_command_line(int argc, char const* const* argv);

}  // namespace minibatch::tool
