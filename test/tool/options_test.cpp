#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <ostream>
#include <stdexcept>
#include <vector>

#include "tool/option_values.hpp"
#include "tool/options.hpp"

BOOST_AUTO_TEST_SUITE(tool_options)

namespace {

using namespace minibatch::tool;
using namespace std::chrono_literals;
using arguments = std::vector<std::string>;

std::variant<command_line, early_exit> parse(arguments const& given) {
    std::vector<char const*> argv = {"minibatch"};
    for (auto const& argument : given) argv.push_back(argument.c_str());
    return parse_command_line(static_cast<int>(argv.size()), argv.data());
}

template <class Options>
Options parsed(arguments const& given) {
    auto const result = parse(given);
    if (auto const* stop = std::get_if<early_exit>(&result)) BOOST_FAIL(stop->err);
    auto const& what = std::get<command_line>(result).what;
    BOOST_TEST_REQUIRE(std::holds_alternative<Options>(what));
    return std::get<Options>(what);
}

BOOST_AUTO_TEST_CASE(append_with_its_defaults) {
    auto const options = parsed<append_options>({"append", "quakes"});
    BOOST_TEST(options.stream == "quakes");
    BOOST_TEST(options.files == arguments{"-"}, boost::test_tools::per_element());
    BOOST_TEST(!options.key);
    BOOST_TEST(!options.skip_bad);
}

BOOST_AUTO_TEST_CASE(append_with_everything) {
    auto const options =
        parsed<append_options>({"append", "--skip-bad", "quakes", "a.jsonl", "-", "--key=net", "b.jsonl"});
    BOOST_TEST(options.stream == "quakes");
    BOOST_TEST(options.files == (arguments{"a.jsonl", "-", "b.jsonl"}), boost::test_tools::per_element());
    BOOST_TEST(options.key.value().text() == "net");
    BOOST_TEST(options.skip_bad);
    BOOST_TEST(parsed<append_options>({"append", "quakes", "--", "--odd-name"}).files == arguments{"--odd-name"},
               boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(consume_with_its_defaults) {
    auto const options = parsed<consume_options>({"consume", "quakes", "--size", "100"});
    BOOST_TEST(options.size.value() == 100);
    BOOST_TEST(!options.interval);
    BOOST_TEST(!options.fixed);
    BOOST_TEST(!options.max_age);
    BOOST_TEST(!options.max_bytes);
    BOOST_TEST(!options.no_empty);
    BOOST_TEST(options.group == "default");
    BOOST_TEST(!options.keep);
    BOOST_TEST(options.max_in_flight == 1);
    BOOST_TEST(!options.max_windows);
    BOOST_TEST(!options.idle_exit);
    BOOST_TEST((options.from == start_at::earliest));
    BOOST_TEST(!options.flush);
}

BOOST_AUTO_TEST_CASE(consume_with_everything) {
    auto const options = parsed<consume_options>({"consume",
                                                  "quakes",
                                                  "--interval",
                                                  "1.5",
                                                  "--fixed",
                                                  "--max-age",
                                                  ".25",
                                                  "--max-bytes",
                                                  "1048576",
                                                  "--no-empty",
                                                  "--group",
                                                  "g",
                                                  "--keep",
                                                  "--max-in-flight",
                                                  "4",
                                                  "--max-windows",
                                                  "7",
                                                  "--idle-exit",
                                                  "0",
                                                  "--from",
                                                  "latest",
                                                  "--flush",
                                                  "--window-offset",
                                                  "0.5",
                                                  "--time-zone",
                                                  "Europe/Berlin"});
    BOOST_TEST((options.interval == 1500ms));
    BOOST_TEST(!options.size);
    BOOST_TEST(options.fixed);
    BOOST_TEST((options.max_age == 250ms));
    BOOST_TEST(options.max_bytes.value() == 1048576);
    BOOST_TEST(options.no_empty);
    BOOST_TEST(options.group == "g");
    BOOST_TEST(options.keep);
    BOOST_TEST(options.max_in_flight == 4);
    BOOST_TEST(options.max_windows.value() == 7);
    BOOST_TEST((options.idle_exit == 0ms));
    BOOST_TEST((options.from == start_at::latest));
    BOOST_TEST(options.flush);
    BOOST_TEST((options.window_offset == 500ms));
    BOOST_TEST(options.time_zone == "Europe/Berlin");
}

BOOST_AUTO_TEST_CASE(the_other_commands) {
    auto const peek = parsed<peek_options>({"peek", "s", "--from", "latest", "--limit", "3", "--follow"});
    BOOST_TEST(peek.stream == "s");
    BOOST_TEST((peek.from == start_at::latest));
    BOOST_TEST(peek.limit.value() == 3);
    BOOST_TEST(peek.follow);
    BOOST_TEST(!peek.last);
    BOOST_TEST(parsed<peek_options>({"peek", "s", "--last", "5"}).last.value() == 5);
    parsed<streams_options>({"streams"});
    BOOST_TEST(!parsed<info_options>({"info", "s"}).json);
    BOOST_TEST(parsed<info_options>({"info", "--json", "s"}).json);
    BOOST_TEST(parsed<delete_options>({"delete", "s"}).stream == "s");
    auto const group = parsed<delete_group_options>({"groups", "delete", "s", "g"});
    BOOST_TEST(group.stream == "s");
    BOOST_TEST(group.group == "g");
}

BOOST_AUTO_TEST_CASE(streams_and_files_may_be_called_like_commands) {
    for (auto const* name : {"append", "consume", "info", "delete", "groups", "streams"}) {
        BOOST_TEST(parsed<info_options>({"info", name}).stream == name);
        auto const append = parsed<append_options>({"append", name, name});
        BOOST_TEST(append.stream == name);
        BOOST_TEST(append.files == arguments{name}, boost::test_tools::per_element());
        auto const group = parsed<delete_group_options>({"groups", "delete", name, name});
        BOOST_TEST(group.stream == name);
        BOOST_TEST(group.group == name);
    }
}

BOOST_AUTO_TEST_CASE(the_database_may_stand_before_or_after_the_command) {
    for (auto const& given : std::vector<arguments>{{"--db", "sqlite:x.db", "streams"},
                                                    {"streams", "--db", "sqlite:x.db"},
                                                    {"streams", "--db=sqlite:x.db"},
                                                    {"append", "--db", "sqlite:x.db", "s", "f"},
                                                    {"consume", "s", "--size", "1", "--db", "sqlite:x.db"},
                                                    {"peek", "s", "--db", "sqlite:x.db"},
                                                    {"info", "s", "--db", "sqlite:x.db"},
                                                    {"delete", "s", "--db", "sqlite:x.db"},
                                                    {"groups", "--db", "sqlite:x.db", "delete", "s", "g"},
                                                    {"groups", "delete", "s", "g", "--db", "sqlite:x.db"}}) {
        auto const result = parse(given);
        BOOST_TEST_REQUIRE(std::holds_alternative<command_line>(result));
        BOOST_TEST(std::get<command_line>(result).db == "sqlite:x.db");
    }
    BOOST_TEST(std::get<command_line>(parse({"streams"})).db.empty());
}

BOOST_AUTO_TEST_CASE(the_time_out_may_stand_before_or_after_the_command) {
    auto const timeout = [](arguments const& given) { return std::get<command_line>(parse(given)).timeout; };
    BOOST_TEST((timeout({"streams"}) == 30s));
    BOOST_TEST((timeout({"--timeout", "1.5", "streams"}) == 1500ms));
    BOOST_TEST((timeout({"groups", "delete", "s", "g", "--timeout", "0"}) == 0ms));
}

BOOST_AUTO_TEST_CASE(help_and_version) {
    for (auto const& given : std::vector<arguments>{
             {"--help"}, {"-h"}, {"append", "--help"}, {"consume", "-h"}, {"groups", "delete", "--help"}}) {
        auto const result = std::get<early_exit>(parse(given));
        BOOST_TEST(result.code == 0);
        BOOST_TEST(result.out.find("--db") != std::string::npos, result.out);
        BOOST_TEST(result.err.empty());
    }
    BOOST_TEST(std::get<early_exit>(parse({"consume", "--help"})).out.find("--max-in-flight") != std::string::npos);
    auto const version = std::get<early_exit>(parse({"--version"}));
    BOOST_TEST(version.code == 0);
    BOOST_TEST(version.out.starts_with("minibatch 0."), version.out);
}

struct wrong_row {
    arguments given;
    std::string named;
};
std::ostream& operator<<(std::ostream& out, wrong_row const& row) {
    for (auto const& argument : row.given) out << argument << ' ';
    return out;
}

std::vector<wrong_row> const wrong = {
    {{}, "minibatch: a command is required"},
    {{"frobnicate"}, "minibatch: unknown command 'frobnicate'"},
    {{"--frob", "streams"}, "unknown option '--frob'"},
    {{"append"}, "minibatch append: STREAM is required"},
    {{"append", ""}, "STREAM"},
    {{"append", "--bogus"}, "--bogus"},
    {{"append", "s", "--skip-bda"}, "--skip-bda"},
    {{"append", "s", "--key"}, "--key"},
    {{"append", "s", "--key", ""}, "--key"},
    {{"append", "s", "--db"}, "--db: its value is missing"},
    {{"append", "s", "--db", ""}, "--db: the URL is empty"},
    {{"--db=", "append", "s"}, "--db: its value is missing"},
    {{"consume", "s"}, "--size or --interval"},
    {{"consume", "s", "--size", "1", "--interval", "1"}, "--interval"},
    {{"consume", "s", "--size", "0"}, "--size"},
    {{"consume", "s", "--size", "-5"}, "--size"},
    {{"consume", "s", "--size=-5"}, "--size: '-5' is too small"},
    {{"consume", "s", "--size", "1.5"}, "--size: '1.5' is not a whole number"},
    {{"consume", "s", "--size", "0x10"}, "--size"},
    {{"consume", "s", "--size", "99999999999999999999"}, "--size: '99999999999999999999' is out of range"},
    {{"consume", "s", "--size", ""}, "--size"},
    {{"consume", "s", "--size", "1", "--size", "2"}, "--size: it is given more than once"},
    {{"consume", "s", "--size", "1", "--fixed"}, "--fixed"},
    {{"consume", "s", "--size", "1", "--no-empty"}, "--no-empty"},
    {{"consume", "s", "--interval", "0"}, "--interval"},
    {{"consume", "s", "--interval", "1s"}, "--interval: '1s' is not a number of seconds"},
    {{"consume", "s", "--interval", "nan"}, "--interval"},
    {{"consume", "s", "--interval", "inf"}, "--interval"},
    {{"consume", "s", "--interval", "0.0001"}, "--interval: '0.0001' is too short"},
    {{"consume", "s", "--interval=-1"}, "--interval: '-1' is negative"},
    {{"consume", "s", "--interval", "1e300"}, "--interval"},
    {{"consume", "s", "--interval", "99999999999"}, "--interval"},
    {{"consume", "s", "--size", "1", "--max-age", "x"}, "--max-age"},
    {{"consume", "s", "--size", "1", "--max-bytes", "1MB"}, "--max-bytes"},
    {{"consume", "s", "--size", "1", "--max-in-flight", "0"}, "--max-in-flight"},
    {{"consume", "s", "--size", "1", "--max-windows", "0"}, "--max-windows"},
    {{"consume", "s", "--size", "1", "--idle-exit=-1"}, "--idle-exit"},
    {{"consume", "s", "--size", "1", "--from", "yesterday"}, "--from: 'yesterday' is neither earliest nor latest"},
    {{"consume", "s", "--size", "1", "--group", ""}, "--group"},
    {{"consume", "s", "t", "--size", "1"}, "unexpected argument 't'"},
    {{"consume", "s", "--size", "1", "--window-offset", "1"}, "--window-offset: needs --interval with --fixed"},
    {{"consume", "s", "--interval", "86400", "--time-zone", "UTC"}, "--time-zone: needs --interval with --fixed"},
    {{"consume", "s", "--interval", "86400", "--fixed", "--time-zone", ""}, "--time-zone"},
    {{"streams", "--timeout", "-1"}, "--timeout: '-1' is negative"},
    {{"append", "s", "--key", "/a~b"}, "--key: in a JSON Pointer"},
    {{"peek", "s", "--from", "latest"}, "--from: latest shows nothing without --follow"},
    {{"peek", "s", "--from", "earliest", "--last", "1"}, "--last: cannot be used together with --from"},
    {{"peek", "s", "--last", "0"}, "--last: '0' is too small"},
    {{"peek"}, "STREAM"},
    {{"peek", "s", "--limit", "none"}, "--limit"},
    {{"streams", "s"}, "s"},
    {{"info"}, "minibatch info: STREAM"},
    {{"info", "s", "--xml"}, "--xml"},
    {{"delete"}, "STREAM"},
    {{"delete", "s", "t"}, "t"},
    {{"groups"}, "delete"},
    {{"groups", "delete"}, "STREAM"},
    {{"groups", "delete", "s"}, "GROUP"},
    {{"groups", "list"}, "minibatch groups: unknown command 'list'"},
    {{"a\x1b[31m\n"}, "'a\\x1b[31m\\x0a'"},
};

BOOST_DATA_TEST_CASE(wrong_use_is_named_and_exits_with_2, boost::unit_test::data::make(wrong), row) {
    auto const result = parse(row.given);
    BOOST_TEST_REQUIRE(std::holds_alternative<early_exit>(result));
    auto const& stop = std::get<early_exit>(result);
    BOOST_TEST(stop.code == 2);
    BOOST_TEST(stop.out.empty());
    BOOST_TEST(stop.err.find(row.named) != std::string::npos, stop.err);
    BOOST_TEST(stop.err.ends_with('\n'));
}

BOOST_AUTO_TEST_CASE(seconds_are_rounded_to_milliseconds) {
    BOOST_TEST((parse_seconds("0.0015", false) == 2ms));
    BOOST_TEST((parse_seconds("10", false) == 10s));
    BOOST_TEST((parse_seconds("0.000", true) == 0ms));
    BOOST_CHECK_THROW(parse_seconds("0.0001", true), std::invalid_argument);
    BOOST_CHECK_THROW(parse_seconds("", true), std::invalid_argument);
    BOOST_CHECK_THROW(parse_seconds(" 1", true), std::invalid_argument);
}

}  // namespace

BOOST_AUTO_TEST_SUITE_END()
