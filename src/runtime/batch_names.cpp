#include "runtime/batch_names.hpp"

#include <cstdio>
#include <random>

namespace minibatch::runtime {

batch_names::batch_names() {
    std::random_device source;
    char text[32];
    std::snprintf(text, sizeof text, "%08x%08x-", source(), source());
    prefix_ = text;
}

}  // namespace minibatch::runtime
