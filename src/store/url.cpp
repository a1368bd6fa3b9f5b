#include "store/url.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <minibatch/error.hpp>

namespace minibatch::store {
namespace {

[[noreturn]] void refuse(std::string_view url, std::string const& why) {
    throw error(errc::invalid_url, "the database URL '" + redact(url) + "': " + why);
}

int hex(char c) noexcept {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

std::string decode(std::string_view url, std::string_view part) {
    std::string out;
    out.reserve(part.size());
    for (std::size_t i = 0; i < part.size(); ++i) {
        if (part[i] != '%') {
            out += part[i];
            continue;
        }
        int const high = i + 2 < part.size() ? hex(part[i + 1]) : -1;
        int const low = i + 2 < part.size() ? hex(part[i + 2]) : -1;
        if (high < 0 || low < 0) refuse(url, "a '%' that is not followed by two hexadecimal digits");
        out += static_cast<char>(high * 16 + low);
        i += 2;
    }
    if (out.find('\0') != std::string::npos) refuse(url, "a NUL character");
    return out;
}

/// Parameters whose values are no secret. Those of others are not shown: a name may be a misspelt or encoded one.
constexpr std::array shown_parameters{
    "appname",
    "authmechanism",
    "authsource",
    "compressors",
    "connecttimeoutms",
    "directconnection",
    "heartbeatfrequencyms",
    "j",
    "journal",
    "loadbalanced",
    "localthresholdms",
    "maxidletimems",
    "maxpoolsize",
    "maxstalenessseconds",
    "minpoolsize",
    "readconcernlevel",
    "readpreference",
    "readpreferencetags",
    "replicaset",
    "retryreads",
    "retrywrites",
    "safe",
    "serverselectiontimeoutms",
    "serverselectiontryonce",
    "socketcheckintervalms",
    "sockettimeoutms",
    "srvmaxhosts",
    "srvservicename",
    "ssl",
    "synchronous",
    "tls",
    "tlsallowinvalidcertificates",
    "tlsallowinvalidhostnames",
    "tlscafile",
    "tlscertificatekeyfile",
    "tlsdisablecertificaterevocationcheck",
    "tlsdisableocspendpointcheck",
    "tlsinsecure",
    "w",
    "waitqueuetimeoutms",
    "wtimeoutms",
    "zlibcompressionlevel",
};

bool is_shown(std::string_view parameter) {
    return std::find(shown_parameters.begin(), shown_parameters.end(), lower(parameter)) != shown_parameters.end();
}

void split_parameters(std::string_view url, std::string_view query, database_url& out) {
    while (!query.empty()) {
        auto const item = query.substr(0, query.find('&'));
        query.remove_prefix(std::min(query.size(), item.size() + 1));
        auto const equals = item.find('=');
        auto const name = decode(url, item.substr(0, equals));
        auto const value = equals == item.npos ? std::string() : decode(url, item.substr(equals + 1));
        if (out.scheme != "sqlite" || name != "synchronous") refuse(url, "unknown parameter '" + name + "'");
        if (value != "full" && value != "normal") refuse(url, "synchronous is 'full' or 'normal', not '" + value + "'");
        for (auto const& [other, ignored] : out.parameters)
            if (other == name) refuse(url, "parameter '" + name + "' is given twice");
        out.parameters.emplace_back(name, value);
    }
}

}  // namespace

std::string lower(std::string_view text) {
    std::string out;
    for (char const c : text) out += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    return out;
}

database_url parse_url(std::string_view url) {
    auto const colon = url.find(':');
    if (colon == url.npos || url.substr(0, colon).find('/') != url.npos)
        refuse(url, "no scheme; for a file write 'sqlite:" + redact(url) + "'");
    database_url out;
    out.scheme = lower(url.substr(0, colon));
    auto rest = url.substr(colon + 1);
    if (out.scheme == "mongodb" || out.scheme == "mongodb+srv") {
        out.path = url;
        return out;
    }
    if (out.scheme != "sqlite" && out.scheme != "memory")
        refuse(url, "unknown scheme '" + out.scheme + "'; known are sqlite, memory, mongodb and mongodb+srv");
    auto const question = rest.find('?');
    if (question != rest.npos) {
        split_parameters(url, rest.substr(question + 1), out);
        rest = rest.substr(0, question);
    }
    if (rest.substr(0, 2) == "//") {
        // As other programs write it, sqlite:///absolute/path; between the slashes would stand a host.
        rest.remove_prefix(2);
        if (rest.empty() || rest.front() != '/' || out.scheme != "sqlite")
            refuse(url, "no host is possible here; write 'sqlite:PATH' or 'memory:NAME'");
    }
    out.path = decode(url, rest);
    if (out.scheme == "sqlite" && out.path.empty()) refuse(url, "no file is named");
    if (out.scheme == "sqlite" && out.path == ":memory:") refuse(url, "for a database in memory write 'memory:'");
    return out;
}

std::string redact(std::string_view url) {
    auto const scheme = lower(url.substr(0, url.find(':')));
    bool const file = scheme == "sqlite" || scheme == "memory";
    auto const slashes = url.find("://");
    if (slashes == url.npos && (file || url.find('@') == url.npos)) return std::string(url);
    // A scheme without slashes, or none, is a slip: nothing before the '@' is shown then.
    auto const begin = slashes == url.npos ? 0 : slashes + 3;
    std::string out(url.substr(0, begin));
    // The last '@' of all: a password with an unencoded '/', '?' or '@' must not show either.
    auto const at = url.rfind('@');
    auto const rest = at == url.npos || at < begin ? begin : at;
    if (rest != begin) out += "***";
    auto const question = url.find('?', rest);
    auto hosts = url.substr(rest, std::min(question, url.size()) - rest);
    // Where a port should be may stand a password whose '@' and host were forgotten.
    auto const ports = hosts.substr(0, hosts.find('/'));
    auto const colon = ports.rfind(':');
    if (rest == begin && colon != ports.npos && ports.find_first_not_of("0123456789]", colon + 1) != ports.npos) {
        out += std::string(ports.substr(0, colon + 1)) + "***";
        hosts.remove_prefix(ports.size());
    }
    out += hosts;
    if (question == url.npos) return out;
    for (auto query = url.substr(question); !query.empty();) {
        auto const item = query.substr(0, query.find('&', 1));
        query.remove_prefix(item.size());
        auto const equals = item.find('=');
        bool const shown = equals == item.npos || is_shown(item.substr(1, equals - 1));
        out += shown ? std::string(item) : std::string(item.substr(0, equals + 1)) + "***";
    }
    return out;
}

std::string default_url() {
    for (auto const* name : {"MINIBATCH_URL", "MINIBATCH_MONGO_URL", "MONGO_URL"})
        if (auto const* value = std::getenv(name); value != nullptr && *value != '\0') return value;
    return "sqlite:minibatch.db";
}

}  // namespace minibatch::store
