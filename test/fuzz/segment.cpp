// Any text that is accepted as a segment must give documents that put the same text together again.

#include "log/segment.hpp"

#include <cstdlib>
#include <minibatch/error.hpp>

extern "C" int LLVMFuzzerTestOneInput(unsigned char const* data, std::size_t size) {
    using namespace minibatch;  // NOLINT(google-build-using-namespace)
    std::string const text(reinterpret_cast<char const*>(data), size);
    std::int64_t lines = 1;
    for (auto const each : text) lines += each == '\n' ? 1 : 0;
    for (auto const count : {lines, lines - 1, lines + 1, std::int64_t{1} << 62}) {
        try {
            log::segment const record(0, 10, count, 0, std::make_shared<std::string const>(text));
            log::segment_text again;
            for (std::int64_t i = 0; i < record.count(); ++i) again.add(record.document(i));
            auto const whole = record.documents(0, record.count());
            if (record.count() > 0 && (again.finish() != text || whole.size() + 2 != text.size())) std::abort();
        } catch (error const& refused) {
            if (refused.code() != errc::corrupt) std::abort();
        }
    }
    return 0;
}
