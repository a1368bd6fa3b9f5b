#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "refused.hpp"

/// What the path and the query of a request name: /streams/NAME with `last`, or /streams/NAME/windows with `size` and
/// `group`. Throws `refused` for everything else.
struct target {
    std::string stream;
    bool windows = false;
    std::int64_t size = 100;
    std::string group = "http";
    std::int64_t last = 100;

    explicit target(std::string_view text) {
        namespace http = boost::beast::http;
        auto const mark = text.find('?');
        auto path = text.substr(0, mark);
        constexpr std::string_view begin = "/streams/";
        if (!path.starts_with(begin)) throw refused{http::status::not_found, "there is nothing here but /streams/NAME"};
        path.remove_prefix(begin.size());
        auto const slash = path.find('/');
        stream = path.substr(0, slash);
        windows = slash != path.npos;
        if (windows && path.substr(slash) != "/windows") throw refused{http::status::not_found, "unknown path"};
        auto query = mark == text.npos ? std::string_view() : text.substr(mark + 1);
        while (!query.empty()) {
            auto const end = std::min(query.find('&'), query.size());
            auto const equals = std::min(query.find('='), end);
            set(query.substr(0, equals), equals < end ? query.substr(equals + 1, end - equals - 1) : "");
            query.remove_prefix(std::min(end + 1, query.size()));
        }
    }

  private:
    void set(std::string_view name, std::string_view value) {
        if (windows && name == "size")
            size = number<std::int64_t>(value, name, 1, 10'000);
        else if (windows && name == "group")
            group = value;
        else if (!windows && name == "last")
            last = number<std::int64_t>(value, name, 1, 10'000);
        else
            throw refused{boost::beast::http::status::bad_request, "unknown parameter: " + std::string(name)};
    }
};
