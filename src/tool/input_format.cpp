#include "tool/input_format.hpp"

#include <array>

namespace minibatch::tool {
namespace {

using namespace std::string_view_literals;

struct format {
    std::string_view begin;
    char const* name;
    char const* remedy;
};

constexpr char const* to_utf8 = "use iconv -f UTF-16 -t UTF-8";
constexpr char const* from_utf32 = "use iconv -f UTF-32 -t UTF-8";

constexpr std::array formats{
    format{"\x1f\x8b"sv, "gzip", "use zcat"},
    format{"\x28\xb5\x2f\xfd"sv, "zstd", "use zstdcat"},
    format{"BZh"sv, "bzip2", "use bzcat"},
    format{"\xfd"
           "7zXZ\0"sv,
           "xz", "use xzcat"},
    format{"PK\3\4"sv, "zip", "use unzip -p"},
    format{"\xff\xfe\0\0"sv, "UTF-32", from_utf32},
    format{"\0\0\xfe\xff"sv, "UTF-32", from_utf32},
    format{"\xff\xfe"sv, "UTF-16", to_utf8},
    format{"\xfe\xff"sv, "UTF-16", to_utf8},
    // Without a byte order mark.
    format{"{\0"sv, "UTF-16", "use iconv -f UTF-16LE -t UTF-8"},
    format{"\0{"sv, "UTF-16", "use iconv -f UTF-16BE -t UTF-8"},
};

}  // namespace

std::size_t check_format(std::string_view first_bytes, std::string_view file) {
    for (auto const& each : formats)
        if (first_bytes.starts_with(each.begin))
            throw wrong_format(shown_name(file) + ": this is " + each.name + ": " + each.remedy);
    constexpr auto mark = "\xef\xbb\xbf"sv;
    return first_bytes.starts_with(mark) ? mark.size() : 0;
}

std::string array_advice() { return "this is a JSON array: use jq -c '.[]', which makes a line of each element"; }

std::string shown_name(std::string_view file) { return file == "-" ? "standard input" : std::string(file); }

}  // namespace minibatch::tool
