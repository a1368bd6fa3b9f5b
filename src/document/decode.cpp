#include <array>
#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/value_stack.hpp>
#include <charconv>
#include <minibatch/document.hpp>
#include <string>

#include "document/decode.hpp"

namespace minibatch {
namespace {

namespace json = boost::json;
using boost::system::error_code;

/// Builds a value as boost::json::parse does, except that doubles are exact: Boost.JSON 1.81 may be off in the last
/// bit, and what was appended must come back.
class value_builder {
  public:
    static constexpr std::size_t max_array_size = json::array::max_size();
    static constexpr std::size_t max_object_size = json::object::max_size();
    static constexpr std::size_t max_string_size = json::string::max_size();
    static constexpr std::size_t max_key_size = json::string::max_size();

    value_builder(unsigned char* buffer, std::size_t size, json::storage_ptr storage) : stack_({}, buffer, size) {
        stack_.reset(std::move(storage));
    }
    json::value release() { return stack_.release(); }

    bool on_document_begin(error_code&) noexcept { return true; }
    bool on_document_end(error_code&) noexcept { return true; }
    bool on_object_begin(error_code&) noexcept { return true; }
    bool on_object_end(std::size_t n, error_code&) { return stack_.push_object(n), true; }
    bool on_array_begin(error_code&) noexcept { return true; }
    bool on_array_end(std::size_t n, error_code&) { return stack_.push_array(n), true; }
    bool on_key_part(json::string_view s, std::size_t, error_code&) { return stack_.push_chars(s), true; }
    bool on_key(json::string_view s, std::size_t, error_code&) { return stack_.push_key(s), true; }
    bool on_string_part(json::string_view s, std::size_t, error_code&) { return stack_.push_chars(s), true; }
    bool on_string(json::string_view s, std::size_t, error_code&) { return stack_.push_string(s), true; }
    bool on_number_part(json::string_view, error_code&) noexcept { return true; }
    bool on_int64(std::int64_t i, json::string_view, error_code&) { return stack_.push_int64(i), true; }
    bool on_uint64(std::uint64_t u, json::string_view, error_code&) { return stack_.push_uint64(u), true; }
    bool on_double(double approximate, json::string_view token, error_code&) {
        // The text is parsed as one buffer, so that the token is the whole number. What is too small for any double
        // has no conversion of its own.
        double exact = 0;
        auto const read = std::from_chars(token.data(), token.data() + token.size(), exact);
        stack_.push_double(read.ec == std::errc{} ? exact : approximate);
        return true;
    }
    bool on_bool(bool b, error_code&) { return stack_.push_bool(b), true; }
    bool on_null(error_code&) { return stack_.push_null(), true; }
    bool on_comment_part(json::string_view, error_code&) noexcept { return true; }
    bool on_comment(json::string_view, error_code&) noexcept { return true; }

  private:
    json::value_stack stack_;
};

using parser = json::basic_parser<value_builder>;

json::parse_options options(std::size_t depth) {
    json::parse_options chosen;
    chosen.max_depth = depth;
    return chosen;
}

[[noreturn]] void damaged(std::size_t at, std::string const& what) {
    throw error(errc::corrupt, "a stored document is damaged at byte " + std::to_string(at + 1) + ": " + what);
}

}  // namespace

json::value decode_document(std::string_view text, json::storage_ptr storage) {
    std::array<unsigned char, 4096> buffer;  // enough for most documents, so that only the value itself is allocated
    parser decoder(options(max_document_depth), buffer.data(), buffer.size(), std::move(storage));
    error_code ec;
    auto const used = decoder.write_some(false, text.data(), text.size(), ec);
    if (!ec && used != text.size()) ec = json::error::extra_data;
    if (ec) damaged(used, ec.message());
    return decoder.handler().release();
}

json::array document::decode_all(std::span<std::string_view const> pieces, std::size_t count,
                                 json::storage_ptr storage) {
    std::array<unsigned char, 16384> buffer;
    parser decoder(options(max_document_depth + 1), buffer.data(), buffer.size(), std::move(storage));
    error_code ec;
    std::size_t position = 0;
    auto const feed = [&](bool more, std::string_view text) {
        if (ec) damaged(position, ec.message());
        auto const used = decoder.write_some(more, text.data(), text.size(), ec);
        position += used;
        if (!ec && used != text.size()) ec = json::error::extra_data;
    };
    // Numbers are whole in each part, since a part ends where a document ends.
    feed(true, "[");
    for (std::size_t i = 0; i < pieces.size(); ++i) {
        if (i > 0) feed(true, ",");
        feed(true, pieces[i]);
    }
    feed(false, "]");
    if (ec) damaged(position, ec.message());
    auto decoded = std::move(decoder.handler().release().as_array());
    if (decoded.size() != count) damaged(position, "there are more or fewer documents than there should be");
    return decoded;
}

}  // namespace minibatch
