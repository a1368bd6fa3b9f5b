#include "tool/option_grammar.hpp"

#include <functional>
#include <stdexcept>

#include "tool/option_values.hpp"

namespace minibatch::tool {
namespace {

/// Hands the text of an option to `read`; what that throws becomes an error that names the option.
CLI::Option* add_value(CLI::App& app, std::string const& name, std::string const& type, std::string const& help,
                       std::function<void(std::string const&)> read) {
    return app
        .add_option_function<std::string>(
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

template <class Target>
void add_seconds(CLI::App& app, std::string const& name, Target& target, std::string const& help,
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

/// The parser would complain about a missing name before an unknown option, which is what to mend first.
template <class Options>
Options const& named(Options const& options) {
    if (options.stream.empty()) throw CLI::RequiredError("STREAM");
    return options;
}

}  // namespace

option_grammar::option_grammar()
    : app_("Mini-batch stream processing: durable streams of JSON documents, consumed in windows", "minibatch") {
    app_.set_version_flag("-V,--version", "minibatch " MINIBATCH_VERSION);
    app_.footer(
        "Exit codes: 0 done; 1 failed; 2 wrong use or bad input; 75 the database was unreachable, busy or full until "
        "the time-out, or the outcome is unknown: trying again may succeed; 130, 143 or 129 ended by SIGINT, SIGTERM "
        "or SIGHUP before all was done; 141 the reader of standard output has closed it.");
    add_common(app_);
    add_append();
    add_consume();
    add_peek();
    streams_ = &add_command(app_, "streams", "List the streams");
    add_info();
    add_delete();
    add_groups();
    // With at most one, a stream may have the name of a command.
    app_.require_subcommand(0, 1);
    groups_->require_subcommand(0, 1);
}

void option_grammar::add_common(CLI::App& app) {
    add_value(app, "--db", "URL",
              "The database: sqlite:PATH, mongodb://HOST/DATABASE or mongodb+srv://HOST/DATABASE (default: the "
              "environment's MINIBATCH_URL, MINIBATCH_MONGO_URL or MONGO_URL, else sqlite:minibatch.db)",
              [this](std::string const& text) {
                  // As from a variable of the shell that is not set: not a wish for the default.
                  if (text.empty()) throw std::invalid_argument("the URL is empty");
                  line_.db = text;
              });
    add_seconds(app, "--timeout", line_.timeout,
                "How long to wait for a database that is unreachable, busy or full (default: 30; 0: for ever)", true);
}

CLI::App& option_grammar::add_command(CLI::App& parent, std::string const& name, std::string const& help) {
    auto& added = *parent.add_subcommand(name, help);
    add_common(added);
    return added;
}

void option_grammar::add_append() {
    append_ = &add_command(app_, "append", "Append JSON lines to a stream, one document a line");
    add_name(*append_, "STREAM", append_options_.stream, "The stream; created if there is none");
    append_->add_option("FILE", append_options_.files, "Files of JSON lines; - is standard input (default)")
        ->type_name("");
    add_value(*append_, "--key", "FIELD",
              "The field whose value chooses the partition: a name, or a JSON Pointer such as /user/id",
              [this](std::string const& text) { append_options_.key.emplace(text); });
    append_->add_flag("--skip-bad", append_options_.skip_bad, "Report lines that are no valid documents and go on");
}

void option_grammar::add_consume() {
    auto& to = consume_options_;
    consume_ = &add_command(app_, "consume", "Print the windows of a stream as JSON lines and commit them");
    add_name(*consume_, "STREAM", to.stream, "The stream");
    add_integer(*consume_, "--size", to.size, "Windows of exactly N messages");
    add_seconds(*consume_, "--interval", to.interval, "Windows of all that has arrived, every so many seconds");
    consume_->add_flag("--fixed", to.fixed, "Align the intervals to the clock: [start, end) from the Unix epoch on");
    add_seconds(*consume_, "--window-offset", to.window_offset,
                "With --fixed: shift the intervals by so many seconds (default: 0)", true);
    add_value(*consume_, "--time-zone", "NAME",
              "With --fixed and an interval of whole days: local days, as in Europe/Berlin (default: days of UTC)",
              [&to](std::string const& text) {
                  if (text.empty()) throw std::invalid_argument("the name of the time zone is empty");
                  to.time_zone = text;
              });
    add_seconds(*consume_, "--max-age", to.max_age, "Close a window so long after its first message");
    add_integer(*consume_, "--max-bytes", to.max_bytes, "Close a window before it is larger than N bytes");
    consume_->add_flag("--no-empty", to.no_empty, "Leave out intervals without messages");
    add_value(*consume_, "--group", "G", "The consumer group (default: default)", [&to](std::string const& text) {
        if (text.empty()) throw std::invalid_argument("the name of the group is empty");
        to.group = text;
    });
    consume_->add_flag("--keep", to.keep, "Keep messages in the stream after they are committed");
    add_integer(*consume_, "--max-in-flight", to.max_in_flight, "Windows that may wait for their commit (default: 1)");
    add_integer(*consume_, "--max-windows", to.max_windows, "Exit after N windows");
    add_seconds(*consume_, "--idle-exit", to.idle_exit,
                "Exit so long after the last message; windows that time will close are waited for", true);
    add_from(*consume_, to.from, "Where a new group begins (default: earliest)");
    consume_->add_flag("--flush", to.flush, "Print the open remainder as a window before exiting");
}

void option_grammar::add_peek() {
    auto& to = peek_options_;
    peek_ = &add_command(app_, "peek", "Print messages as JSON lines, without a group");
    add_name(*peek_, "STREAM", to.stream, "The stream");
    add_from(*peek_, to.from, "Where to begin (default: earliest); latest needs --follow");
    add_integer(*peek_, "--last", to.last, "Begin at the newest N messages");
    peek_->add_flag("--follow", to.follow, "Go on with new messages as they arrive, until a signal");
    add_integer(*peek_, "--limit", to.limit, "Print at most N messages");
}

void option_grammar::add_info() {
    info_ = &add_command(app_, "info", "Show messages, bytes, groups and lag of a stream");
    add_name(*info_, "STREAM", info_options_.stream, "The stream");
    info_->add_flag("--json", info_options_.json, "Print one JSON object");
}

void option_grammar::add_delete() {
    delete_ = &add_command(app_, "delete", "Delete a stream with all its messages and groups");
    add_name(*delete_, "STREAM", delete_options_.stream, "The stream");
}

void option_grammar::add_groups() {
    groups_ = &add_command(app_, "groups", "Manage consumer groups");
    delete_group_ = &add_command(*groups_, "delete", "Delete a group that nobody uses any more");
    add_name(*delete_group_, "STREAM", delete_group_options_.stream, "The stream");
    add_name(*delete_group_, "GROUP", delete_group_options_.group, "The group");
}

command_line option_grammar::result() const {
    auto const with = [this](command what) { return command_line{line_.db, line_.timeout, std::move(what)}; };
    if (append_->parsed()) return with(append());
    if (consume_->parsed()) return with(consume());
    if (peek_->parsed()) return with(peek());
    if (streams_->parsed()) return with(streams_options{});
    if (info_->parsed()) return with(named(info_options_));
    if (delete_->parsed()) return with(named(delete_options_));
    if (delete_group_->parsed()) return with(delete_group());
    if (groups_->parsed()) throw CLI::RequiredError("the command 'delete'");
    throw CLI::RequiredError("a command");
}

append_options option_grammar::append() const {
    auto result = named(append_options_);
    if (result.files.empty()) result.files.emplace_back("-");
    return result;
}

consume_options option_grammar::consume() const {
    auto const& given = named(consume_options_);
    if (given.size && given.interval) throw CLI::ValidationError("--size", "cannot be used together with --interval");
    if (!given.size && !given.interval) throw CLI::RequiredError("--size or --interval");
    if (given.fixed && !given.interval) throw CLI::ValidationError("--fixed", "needs --interval");
    if (given.no_empty && !given.interval) throw CLI::ValidationError("--no-empty", "needs --interval");
    for (auto const* option : {"--window-offset", "--time-zone"})
        if (consume_->count(option) > 0 && !given.fixed)
            throw CLI::ValidationError(option, "needs --interval with --fixed");
    return given;
}

peek_options option_grammar::peek() const {
    auto const& given = named(peek_options_);
    if (given.last && peek_->count("--from") > 0)
        throw CLI::ValidationError("--last", "cannot be used together with --from");
    if (given.from == start_at::latest && !given.follow)
        throw CLI::ValidationError("--from",
                                   "latest shows nothing without --follow; --last N shows the newest messages");
    return given;
}

delete_group_options option_grammar::delete_group() const {
    auto const& given = named(delete_group_options_);
    if (given.group.empty()) throw CLI::RequiredError("GROUP");
    return given;
}

}  // namespace minibatch::tool
