#include "store/mongo/wire/settings.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <minibatch/error.hpp>
#include <mutex>
#include <string_view>
#include <system_error>

#include "store/url.hpp"

namespace minibatch::store::mongo {

using std::chrono::milliseconds;

namespace {

/// The steps of one call are short; callers repeat them until the time-out of the operation.
constexpr int selection_ms = 250;
constexpr int heartbeat_ms = 2'000;
constexpr milliseconds longest_connect{2'000};

/// Options of the connection string that the driver knows but reports no type for.
constexpr std::array other_options{
    "authmechanism",    "authmechanismproperties", "authsource",         "compressors", "gssapiservicename",
    "readconcernlevel", "readpreference",          "readpreferencetags", "w",
};

[[noreturn]] void refuse(std::string const& url, std::string const& why) {
    throw error(errc::invalid_url, "the database URL '" + redact(url) + "': " + why);
}

/// The message of the driver, unless it cites credentials.
std::string without_secrets(std::string const& url, std::string words) {
    for (auto const* part : {"Username", "Password"})
        if (words.find(part) != words.npos) return "user name and password have to be percent-encoded";
    if (words.starts_with("Invalid URI Schema")) return words;
    std::string hidden = "it is not written as a URL of MongoDB is";
    auto const shown = lower(redact(url));
    constexpr auto quotes = "\"'`";
    if (shown != lower(url) && url.find_first_of(quotes) != url.npos) return hidden;
    // Each cited part must be in the redacted URL, too.
    for (auto begin = words.find_first_of(quotes); begin != words.npos;) {
        auto const end = words.find(words[begin], begin + 1);
        if (shown.find(lower(std::string_view(words).substr(begin + 1, end - begin - 1))) == shown.npos) return hidden;
        if (end == words.npos) break;
        begin = words.find_first_of(quotes, end + 1);
    }
    return words;
}

/// The driver ignores options that it does not know.
void check_options(std::string const& url) {
    auto const question = url.find('?');
    if (question == url.npos) return;
    std::string_view query = std::string_view(url).substr(question + 1);
    // Then the "options" may be part of the password.
    bool const secret = query.find('@') != query.npos;
    while (!query.empty()) {
        auto const item = query.substr(0, query.find('&'));
        query.remove_prefix(std::min(query.size(), item.size() + 1));
        auto const name = std::string(item.substr(0, item.find('=')));
        auto const known = lower(name);
        if (known == "tlsdisableocspendpointcheck" || known == "tlsdisablecertificaterevocationcheck")
            refuse(url, "'" + name + "' is not supported");
        if (std::find(other_options.begin(), other_options.end(), known) != other_options.end()) continue;
        auto const* key = known.c_str();
        if (!mongoc_uri_option_is_int32(key) && !mongoc_uri_option_is_int64(key) && !mongoc_uri_option_is_bool(key) &&
            !mongoc_uri_option_is_utf8(key))
            refuse(url, secret ? "unknown parameter; a '/', '?' or '@' in a user name or password has to be written as "
                                 "%2F, %3F or %40"
                               : "unknown parameter '" + name + "'");
    }
}

void set_default(mongoc_uri_t* uri, char const* option, int value) {
    if (!mongoc_uri_has_option(uri, option)) mongoc_uri_set_option_as_int32(uri, option, value);
}

void read_write_concern(std::string const& url, settings& into) {
    auto const* concern = mongoc_uri_get_write_concern(into.uri.get());
    auto const w = mongoc_write_concern_get_w(concern);
    constexpr int errors_ignored = -1;  // newer drivers have no name for it
    if (w == MONGOC_WRITE_CONCERN_W_UNACKNOWLEDGED || w == errors_ignored)
        refuse(url, "with w=0 nothing that is written would be known to be stored");
    if (w > 0) {
        into.majority_writes = false;
        into.acknowledgements = w;
    } else if (w == MONGOC_WRITE_CONCERN_W_TAG) {
        into.majority_writes = false;
        into.tag = mongoc_write_concern_get_wtag(concern);
    }
    if (mongoc_write_concern_journal_is_set(concern)) into.journal = mongoc_write_concern_get_journal(concern);
}

/// As Debian builds it, the driver keeps counters in a file in /dev/shm that is named by the process. One that is
/// killed would leave it there. The driver goes on with the file unnamed; only `mongoc-stat` cannot find it any more.
bool remove_counters() { return ::shm_unlink(("/mongoc-" + std::to_string(::getpid())).c_str()) == 0; }

/// The driver makes it as it is loaded, also in programs that never connect to MongoDB.
[[maybe_unused]] bool const counters_removed = remove_counters();

}  // namespace

void start_driver() {
    static std::once_flag once;
    std::call_once(once, [] {
        mongoc_init();
        remove_counters();
        mongoc_log_set_handler(nullptr, nullptr);
    });
}

settings parse_settings(std::string const& url, int clients, milliseconds timeout) {
    start_driver();
    settings out;
    bson_error_t problem{};
    out.uri.reset(mongoc_uri_new_with_error(url.c_str(), &problem));
    if (!out.uri) refuse(url, without_secrets(url, problem.message));
    check_options(url);
    auto* const uri = out.uri.get();
    auto const* database = mongoc_uri_get_database(uri);
    if (!database || *database == '\0') refuse(url, "no database is named; write mongodb://HOST/DATABASE");
    out.database = database;
    for (auto const* host = mongoc_uri_get_hosts(uri); host; host = host->next) {
        if (std::string_view(host->host).find('@') != std::string_view::npos)
            refuse(url, "an '@' in a user name or password has to be written as %40");
        out.hosts += (out.hosts.empty() ? "" : ",") + std::string(host->host_and_port);
    }
    if (out.hosts.empty()) {  // of mongodb+srv; they are looked up when the pool is made
        auto const* name = mongoc_uri_get_srv_hostname(uri);
        out.hosts = name ? name : "?";
    }

    auto const* credentials = mongoc_uri_get_credentials(uri);
    // Users of the other mechanisms are not defined in a database. The driver compares in this way, too.
    auto const* named = mongoc_uri_get_auth_mechanism(uri);
    auto const mechanism = lower(named ? named : "scram");
    if (mongoc_uri_get_username(uri) && !bson_has_field(credentials, "authsource") &&
        !bson_has_field(credentials, "authSource") && mechanism.starts_with("scram"))
        mongoc_uri_set_auth_source(uri, "admin");
    // Without a password the driver would abort the program.
    if (mongoc_uri_get_username(uri) && !mongoc_uri_get_password(uri) &&
        (mechanism.starts_with("scram") || mechanism == "plain"))
        refuse(url, "a password is missing; write mongodb://USER:PASSWORD@HOST/DATABASE");
    if (!mongoc_uri_get_appname(uri)) mongoc_uri_set_appname(uri, "minibatch");
    if (!mongoc_uri_has_option(uri, MONGOC_URI_RETRYWRITES))
        mongoc_uri_set_option_as_bool(uri, MONGOC_URI_RETRYWRITES, false);
    out.retry_writes = mongoc_uri_get_option_as_bool(uri, MONGOC_URI_RETRYWRITES, false);
    // After an error that says "not primary", the driver may believe it until its next check.
    set_default(uri, MONGOC_URI_HEARTBEATFREQUENCYMS, heartbeat_ms);
    // How long to look for a primary in one step; the operation's time-out decides how many steps there are.
    mongoc_uri_set_option_as_int32(uri, MONGOC_URI_SERVERSELECTIONTIMEOUTMS, selection_ms);
    // The threads of the driver that monitor the servers end only after that time.
    auto const connect = std::clamp(timeout / 2, milliseconds(250), longest_connect);
    set_default(uri, MONGOC_URI_CONNECTTIMEOUTMS, static_cast<int>(connect.count()));
    auto const pool = mongoc_uri_get_option_as_int32(uri, MONGOC_URI_MAXPOOLSIZE, 0);
    mongoc_uri_set_option_as_int32(uri, MONGOC_URI_MAXPOOLSIZE, std::max(pool, clients));

    for (auto const* option : {MONGOC_URI_TLSCAFILE, MONGOC_URI_TLSCERTIFICATEKEYFILE}) {
        auto const* file = mongoc_uri_get_option_as_utf8(uri, option, nullptr);
        if (file && ::access(file, R_OK) != 0)
            refuse(url, std::string(option) + " '" + file + "': " + std::generic_category().message(errno));
    }
    read_write_concern(url, out);
    auto const* level = mongoc_read_concern_get_level(mongoc_uri_get_read_concern(uri));
    out.read_concern = level ? level : MONGOC_READ_CONCERN_LEVEL_MAJORITY;
    return out;
}

}  // namespace minibatch::store::mongo
