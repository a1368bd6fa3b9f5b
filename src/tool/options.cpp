#include "tool/options.hpp"

#include <sstream>

#include "tool/exit_code.hpp"
#include "tool/option_grammar.hpp"
#include "tool/option_values.hpp"

namespace minibatch::tool {
namespace {

/// The parser's own words name the arguments, but are no sentences.
std::string what_is_wrong(CLI::ParseError const& problem, CLI::App const& all, CLI::App const& innermost) {
    std::string const text = problem.what();
    if (dynamic_cast<CLI::ExtrasError const*>(&problem) != nullptr) {
        auto const extras = all.remaining(true);
        if (extras.empty()) return text;
        auto const& first = extras.front();
        bool const has_commands = !innermost.get_subcommands([](CLI::App const*) { return true; }).empty();
        char const* const kind = first.starts_with('-') ? "unknown option"
                                 : has_commands         ? "unknown command"
                                                        : "unexpected argument";
        return std::string(kind) + " '" + first + "'";
    }
    if (dynamic_cast<CLI::ArgumentMismatch const*>(&problem) != nullptr) {
        auto const name = text.substr(0, text.find(':'));
        return name + (text.find("missing") != text.npos ? ": its value is missing" : ": it is given more than once");
    }
    return text;
}

}  // namespace

std::variant<command_line, early_exit> parse_command_line(int argc, char const* const* argv) {
    // The parser would take the next argument for the value.
    for (int i = 1; i < argc && std::string_view(argv[i]) != "--"; ++i) {
        std::string_view const given = argv[i];
        if (!given.starts_with("--") || given.find('=') != given.size() - 1) continue;
        return early_exit{exit_wrong_use,
                          {},
                          "minibatch: " + printable(given.substr(0, given.size() - 1)) +
                              ": its value is missing\nRun 'minibatch --help' for the options.\n"};
    }
    option_grammar options;
    try {
        options.app().parse(argc, argv);
        return options.result();
    } catch (CLI::ParseError const& e) {
        if (e.get_exit_code() == 0) {  // --help or --version
            std::ostringstream out;
            std::ostringstream err;
            options.app().exit(e, out, err);
            return early_exit{exit_done, out.str(), err.str()};
        }
        std::string name = "minibatch";
        auto* at = &options.app();
        while (!at->get_subcommands().empty()) {
            at = at->get_subcommands().front();
            name += " " + at->get_name();
        }
        return early_exit{exit_wrong_use,
                          {},
                          name + ": " + printable(what_is_wrong(e, options.app(), *at)) + "\nRun '" + name +
                              " --help' for the options.\n"};
    }
}

}  // namespace minibatch::tool
