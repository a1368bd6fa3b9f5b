// Any text is either refused as corrupt, leaving the progress as it was, or survives being written and read again.

#include <cstdlib>
#include <minibatch/error.hpp>

#include "store/progress.hpp"

extern "C" int LLVMFuzzerTestOneInput(unsigned char const* data, std::size_t size) {
    using namespace minibatch;  // NOLINT(google-build-using-namespace)
    store::progress const before{.low = 5, .low_number = 1, .committed = {{7, 9}}};
    auto read = before;
    try {
        store::decode_details({reinterpret_cast<char const*>(data), size}, read);
    } catch (error const& refused) {
        if (refused.code() != errc::corrupt || read != before) std::abort();
        return 0;
    }
    auto again = before;
    store::decode_details(store::encode_details(read), again);
    if (again != read) std::abort();
    return 0;
}
