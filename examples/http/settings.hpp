#pragma once

#include <boost/asio/ip/address.hpp>
#include <cstdint>
#include <string>

#include "refused.hpp"

struct settings {
    boost::asio::ip::address host = boost::asio::ip::address_v4::loopback();
    unsigned short port = 8080;
    std::string url = "sqlite:http.db";
    std::uint64_t max_body = 1 << 20;
};

inline constexpr char const* settings_usage = "[--port N] [--host ADDRESS] [--db URL] [--max-body BYTES]";

/// Reads the arguments of the program. Throws `refused` for what is wrong with them.
inline settings settings_of(int count, char** arguments) {
    settings how;
    for (int i = 1; i < count; i += 2) {
        std::string const option = arguments[i];
        if (i + 1 >= count) throw refused{{}, "a value is missing after " + option};
        std::string const value = arguments[i + 1];
        if (option == "--port") {
            how.port = number<unsigned short>(value, option, 0, 65535);
        } else if (option == "--host") {
            boost::system::error_code failed;
            how.host = boost::asio::ip::make_address(value, failed);
            if (failed || !how.host.is_loopback())
                throw refused{{}, "'" + value + "' is no loopback address, such as 127.0.0.1"};
        } else if (option == "--db") {
            how.url = value;
        } else if (option == "--max-body") {
            how.max_body = number<std::uint64_t>(value, option, 1, 15 << 20);
        } else {
            throw refused{{}, "unknown option " + option};
        }
    }
    return how;
}
