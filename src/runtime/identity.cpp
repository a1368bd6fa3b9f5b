#include "runtime/identity.hpp"

#include <unistd.h>

#include <cstdio>
#include <random>

namespace minibatch::runtime {
namespace {

std::string random_hex(int words) {
    std::random_device source;
    std::string text;
    for (; words > 0; --words) {
        char word[9];
        std::snprintf(word, sizeof word, "%08x", source());
        text += word;
    }
    return text;
}

}  // namespace

std::string new_owner() {
    char host[256] = {};
    if (gethostname(host, sizeof host - 1) != 0) host[0] = '\0';
    return std::string(host) + ":" + std::to_string(getpid()) + ":" + random_hex(1);
}

std::string new_acquisition() { return random_hex(3); }

}  // namespace minibatch::runtime
