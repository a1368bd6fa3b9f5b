#include "document/utf8.hpp"

#include <boost/locale/utf.hpp>
#include <cstdint>
#include <cstring>

namespace minibatch::document {

bool is_ascii(std::string_view text) noexcept {
    unsigned char bits = 0;
    for (auto const byte : text) bits |= static_cast<unsigned char>(byte);
    return bits < 0x80;
}

bool is_utf8(std::string_view text) noexcept {
    namespace utf = boost::locale::utf;
    char const* at = text.data();
    char const* const end = at + text.size();
    while (at != end) {
        // Nearly all text is ASCII: eight bytes at a time.
        std::uint64_t eight = 0;
        while (end - at >= 8) {
            std::memcpy(&eight, at, sizeof eight);
            if ((eight & 0x8080808080808080U) != 0) break;
            at += 8;
        }
        while (at != end && static_cast<unsigned char>(*at) < 0x80) ++at;
        while (at != end && static_cast<unsigned char>(*at) >= 0x80) {
            auto const point = utf::utf_traits<char>::decode(at, end);
            if (point == utf::illegal || point == utf::incomplete) return false;
        }
    }
    return true;
}

}  // namespace minibatch::document
