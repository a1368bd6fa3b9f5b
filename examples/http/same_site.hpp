#pragma once

#include <boost/beast/http/fields.hpp>
#include <string>
#include <string_view>

#include "refused.hpp"

/// Refuses requests that another web site makes a browser send. Any page may send a POST to a server on this machine
/// (the browser then names the page in `Origin`), or may reach it under a name of its own that it has pointed to
/// 127.0.0.1 (which then stands in `Host`).
class same_site {
  public:
    /// For a server on loopback.
    explicit same_site(unsigned short port) : port_(":" + std::to_string(port)) {}

    void check(boost::beast::http::fields const& headers) const {
        namespace http = boost::beast::http;
        auto const host = headers[http::field::host];
        if (!is_own(host)) refuse("Host", host);
        auto const origin = headers.find(http::field::origin);
        if (origin == headers.end()) return;  // no browser, or a GET of its own pages
        constexpr std::string_view scheme = "http://";
        std::string_view const given(origin->value().data(), origin->value().size());
        if (!given.starts_with(scheme) || !is_own(given.substr(scheme.size()))) refuse("Origin", given);
    }

  private:
    bool is_own(std::string_view host) const {
        for (std::string_view const name : {"127.0.0.1", "localhost", "[::1]"})
            if (host.starts_with(name) && host.substr(name.size()) == port_) return true;
        return false;
    }
    [[noreturn]] static void refuse(std::string const& header, std::string_view value) {
        throw refused{boost::beast::http::status::forbidden,
                      header + " '" + std::string(value) + "' is not that of this server"};
    }

    std::string port_;
};
