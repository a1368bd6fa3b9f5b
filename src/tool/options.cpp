#include "tool/options.hpp"

#include <CLI/CLI.hpp>
#include <functional>
#include <sstream>
#include <stdexcept>

#include "tool/option_values.hpp"

namespace minibatch::tool {
namespace {

/// Hands the text of an option to `read`; what that throws becomes an error that names the option.
void add_value(CLI::App& app, std::string const& name, std::string const& type, std::string const& help,
               std::function<void(std::string const&)> read) {
    app.add_option_function<std::string>(
           name,
           [name, read = std::move(read)](std::string const& text) {
               try {
                   read(text);
               } catch (std::invalid_argument const& e) {
                   throw CLI::ValidationError(name, e.what());
               }
           },
           help)
        ->type_name(type);
}

template <class Target>
void add_integer(CLI::App& app, std::string const& name, Target& target, std::string const& help) {
    add_value(app, name, "N", help, [&target](std::string const& text) { target = parse_integer(text, 1); });
}

void add_seconds(CLI::App& app, std::string const& name, std::optional<duration>& target, std::string const& help,
                 bool may_be_zero = false) {
    add_value(app, name, "SECONDS", help,
              [&target, may_be_zero](std::string const& text) { target = parse_seconds(text, may_be_zero); });
}

void add_from(CLI::App& app, start_at& target, std::string const& help) {
    add_value(app, "--from", "earliest|latest", help, [&target](std::string const& text) {
        if (text != "earliest" && text != "latest") {
            throw std::invalid_argument("'" + text + "' is neither earliest nor latest");
        }
        target = text == "latest" ? start_at::latest : start_at::earliest;
    });
}

void add_name(CLI::App& app, std::string const& name, std::string& target, std::string const& help) {
    app.add_option(name, target, help)->type_name("");
}

/// The parser and where it puts the values.
class grammar {
  public:
    grammar() {
        app_.set_version_flag("-V,--version", "minibatch " MINIBATCH_VERSION);
        app_.footer("Exit codes: 0 done, 1 failed, 2 wrong use or bad input.");
        add_database(app_);
        add_append();
        add_consume();
        add_peek();
        streams_ = &add_command(app_, "streams", "List the streams");
        add_info();
        delete_ = &add_command(app_, "delete", "Delete a stream with all its messages and groups");
        add_name(*delete_, "STREAM", delete_options_.stream, "The stream");
        groups_ = &add_command(app_, "groups", "Manage consumer groups");
        delete_group_ = &add_command(*groups_, "delete", "Delete a group that nobody uses any more");
        add_name(*delete_group_, "STREAM", delete_group_options_.stream, "The stream");
        add_name(*delete_group_, "GROUP", delete_group_options_.group, "The group");
        // With at most one, a stream may have the name of a command.
        app_.require_subcommand(0, 1);
        groups_->require_subcommand(0, 1);
    }

    CLI::App& app() { return app_; }

    /// The command after a successful parse. Throws CLI::ParseError for what the parser itself cannot see.
    command_line result() {
        if (append_->parsed()) return with(append());
        if (consume_->parsed()) return with(consume());
        if (peek_->parsed()) return with(named(peek_options_));
        if (streams_->parsed()) return with(streams_options{});
        if (info_->parsed()) return with(named(info_options_));
        if (delete_->parsed()) return with(named(delete_options_));
        if (delete_group_->parsed()) {
            named(delete_group_options_);
            if (delete_group_options_.group.empty()) throw CLI::RequiredError("GROUP");
            return with(delete_group_options_);
        }
        if (groups_->parsed()) throw CLI::RequiredError("the command 'delete'");
        throw CLI::RequiredError("a command");
    }

  private:
    void add_database(CLI::App& app) {
        add_value(app, "--db", "URL",
                  "The database: sqlite:PATH, mongodb://HOST/DATABASE or mongodb+srv://HOST/DATABASE (default: the "
                  "environment's MINIBATCH_URL, MINIBATCH_MONGO_URL or MONGO_URL, else sqlite:minibatch.db)",
                  [this](std::string const& text) {
                      // As from a variable of the shell that is not set: not a wish for the default.
                      if (text.empty()) throw std::invalid_argument("the URL is empty");
                      db_ = text;
                  });
    }

    CLI::App& add_command(CLI::App& parent, std::string const& name, std::string const& help) {
        auto& command = *parent.add_subcommand(name, help);
        add_database(command);
        return command;
    }

    void add_append() {
        append_ = &add_command(app_, "append", "Append JSON lines to a stream, one document a line");
        add_name(*append_, "STREAM", append_options_.stream, "The stream; created if there is none");
        append_->add_option("FILE", append_options_.files, "Files of JSON lines; - is standard input (default)")
            ->type_name("");
        add_value(*append_, "--key", "FIELD", "The field whose value chooses the partition",
                  [this](std::string const& text) {
                      if (text.empty()) throw std::invalid_argument("the name of the field is empty");
                      append_options_.key = text;
                  });
        append_->add_flag("--skip-bad", append_options_.skip_bad, "Report lines that are no valid documents and go on");
    }

    void add_consume() {
        auto& to = consume_options_;
        consume_ = &add_command(app_, "consume", "Print the windows of a stream as JSON lines and commit them");
        add_name(*consume_, "STREAM", to.stream, "The stream");
        add_integer(*consume_, "--size", to.size, "Windows of N messages");
        add_seconds(*consume_, "--interval", to.interval, "Windows of what has arrived in so many seconds");
        consume_->add_flag("--fixed", to.fixed,
                           "Align the intervals to the clock: [start, end) from the Unix epoch on");
        add_seconds(*consume_, "--max-age", to.max_age, "Close a window so long after its first message");
        add_integer(*consume_, "--max-bytes", to.max_bytes, "Close a window before it is larger than N bytes");
        consume_->add_flag("--no-empty", to.no_empty, "Leave out intervals without messages");
        add_value(*consume_, "--group", "G", "The consumer group (default: default)", [&to](std::string const& text) {
            if (text.empty()) throw std::invalid_argument("the name of the group is empty");
            to.group = text;
        });
        consume_->add_flag("--keep", to.keep, "Keep messages in the stream after they are committed");
        add_integer(*consume_, "--max-in-flight", to.max_in_flight,
                    "Windows that may wait for their commit (default: 1)");
        add_integer(*consume_, "--max-windows", to.max_windows, "Exit after N windows");
        add_seconds(*consume_, "--idle-exit", to.idle_exit, "Exit so long after the last message", true);
        add_from(*consume_, to.from, "Where a new group begins (default: earliest)");
        consume_->add_flag("--flush", to.flush, "Print the open remainder as a window before exiting");
    }

    void add_peek() {
        peek_ = &add_command(app_, "peek", "Print messages as JSON lines, without a group");
        add_name(*peek_, "STREAM", peek_options_.stream, "The stream");
        add_from(*peek_, peek_options_.from, "Where to begin (default: earliest)");
        add_integer(*peek_, "--limit", peek_options_.limit, "Print at most N messages");
    }

    void add_info() {
        info_ = &add_command(app_, "info", "Show messages, bytes, groups and lag of a stream");
        add_name(*info_, "STREAM", info_options_.stream, "The stream");
        info_->add_flag("--json", info_options_.json, "Print one JSON object");
    }

    command_line with(command what) const { return {db_, std::move(what)}; }

    /// The parser would complain about a missing name before an unknown option, which is what to mend first.
    template <class Options>
    static Options const& named(Options const& options) {
        if (options.stream.empty()) throw CLI::RequiredError("STREAM");
        return options;
    }

    append_options append() {
        auto result = named(append_options_);
        if (result.files.empty()) result.files.emplace_back("-");
        return result;
    }

    consume_options consume() const {
        auto const& given = named(consume_options_);
        if (given.size && given.interval)
            throw CLI::ValidationError("--size", "cannot be used together with --interval");
        if (!given.size && !given.interval) throw CLI::RequiredError("--size or --interval");
        if (given.fixed && !given.interval) throw CLI::ValidationError("--fixed", "needs --interval");
        if (given.no_empty && !given.interval) throw CLI::ValidationError("--no-empty", "needs --interval");
        return given;
    }

    CLI::App app_{"Mini-batch stream processing: durable streams of JSON documents, consumed in windows", "minibatch"};
    CLI::App* append_ = nullptr;
    CLI::App* consume_ = nullptr;
    CLI::App* peek_ = nullptr;
    CLI::App* streams_ = nullptr;
    CLI::App* info_ = nullptr;
    CLI::App* delete_ = nullptr;
    CLI::App* groups_ = nullptr;
    CLI::App* delete_group_ = nullptr;

    std::string db_;
    append_options append_options_;
    consume_options consume_options_;
    peek_options peek_options_;
    info_options info_options_;
    delete_options delete_options_;
    delete_group_options delete_group_options_;
};

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
    grammar options;
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
