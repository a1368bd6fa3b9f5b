#include "bson/json_writer.hpp"

#include <bson/bson.h>

#include <algorithm>
#include <array>
#include <boost/json/basic_parser_impl.hpp>
#include <charconv>
#include <cmath>
#include <minibatch/document.hpp>

#include "bson/extended_json.hpp"
#include "bson/line_finder.hpp"

namespace minibatch::bson {
namespace {

namespace json = boost::json;
using boost::system::error_code;

/// The handler of boost::json::basic_parser that writes BSON. Objects are written as they stand; what then turns out to
/// be a wrapper of Extended JSON is replaced by what it stands for. The whole text must be parsed as one buffer, so
/// that numbers arrive in one piece.
class json_writer {
  public:
    static constexpr std::size_t max_array_size = std::numeric_limits<std::size_t>::max();
    static constexpr std::size_t max_object_size = max_array_size;
    static constexpr std::size_t max_string_size = max_array_size;
    static constexpr std::size_t max_key_size = max_array_size;

    /// With the text of a segment, an array of documents is written, else one document.
    json_writer(bytes& out, std::string_view segment) noexcept
        : out_(out), lines_(segment), outer_levels_(segment.empty() ? 0 : 1) {}

    std::size_t messages() const noexcept { return messages_; }
    bool any_text() const noexcept { return any_text_; }

    bool on_document_begin(error_code&) noexcept { return true; }
    bool on_document_end(error_code&) noexcept { return true; }

    bool on_object_begin(error_code& ec) {
        if (depth_ < outer_levels_) return fail(ec);  // a segment is an array
        if (depth_ != 0) begin(BSON_TYPE_DOCUMENT);
        enter(false);
        return true;
    }
    bool on_object_end(std::size_t, error_code& ec) {
        leave();
        auto const& object = levels_[depth_];
        if (object.any_dollar && !object.verbatim && !unwrapped(object)) as_text_ = true;
        return depth_ != 1 || outer_levels_ == 0 || end_message(object, ec);
    }
    bool on_array_begin(error_code& ec) {
        if (depth_ == outer_levels_) return fail(ec);  // a document is an object
        if (depth_ != 0) begin(BSON_TYPE_ARRAY);
        enter(true);
        return true;
    }
    bool on_array_end(std::size_t, error_code&) { return leave(), true; }

    bool on_key_part(json::string_view part, std::size_t, error_code& ec) {
        auto& top = levels_[depth_ - 1];
        if (!inside_) {
            inside_ = true;
            top.type_at = offset();
            out_.put(BSON_TYPE_EOD);
        }
        if (!part.empty() && std::memchr(part.data(), 0, part.size()) != nullptr) return fail(ec);
        out_.put(part.data(), part.size());
        return true;
    }
    bool on_key(json::string_view part, std::size_t total, error_code& ec) {
        if (!on_key_part(part, total, ec)) return false;
        inside_ = false;
        out_.put(0);
        auto& top = levels_[depth_ - 1];
        top.at_scope = false;
        if (out_.data()[top.type_at + 1] == '$') dollar_key(top);
        ++top.index;
        return true;
    }

    bool on_string_part(json::string_view part, std::size_t, error_code& ec) {
        if (!inside_) {
            if (!scalar(BSON_TYPE_UTF8, ec)) return false;
            inside_ = true;
            string_at_ = out_.size();
            out_.put_number(std::int32_t{0});
        }
        out_.put(part.data(), part.size());
        return true;
    }
    bool on_string(json::string_view part, std::size_t total, error_code& ec) {
        if (!on_string_part(part, total, ec)) return false;
        inside_ = false;
        out_.put(0);
        out_.set_length(string_at_, out_.size() - string_at_ - 4);
        return true;
    }

    bool on_number_part(json::string_view, error_code&) noexcept { return true; }
    bool on_int64(std::int64_t value, json::string_view, error_code& ec) {
        auto const narrow = static_cast<std::int32_t>(value);
        if (narrow == value) {
            if (!scalar(BSON_TYPE_INT32, ec)) return false;
            out_.put_number(narrow);
        } else {
            if (!scalar(BSON_TYPE_INT64, ec)) return false;
            out_.put_number(value);
        }
        return true;
    }
    bool on_uint64(std::uint64_t value, json::string_view token, error_code& ec) {
        if (value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) return fail(ec);
        return on_int64(static_cast<std::int64_t>(value), token, ec);
    }
    bool on_double(double approximate, json::string_view token, error_code& ec) {
        // Boost.JSON turns integers beyond 64 bits into doubles, and may be off in the last bit; see decode_document.
        if (token.find_first_of(".eE") == json::string_view::npos) return fail(ec);
        double exact = 0;
        auto const read = std::from_chars(token.data(), token.data() + token.size(), exact);
        if (read.ec != std::errc{}) exact = approximate;
        if (!std::isfinite(exact) || !scalar(BSON_TYPE_DOUBLE, ec)) return fail(ec);
        out_.put_double(exact);
        return true;
    }
    bool on_bool(bool value, error_code& ec) {
        if (!scalar(BSON_TYPE_BOOL, ec)) return false;
        out_.put(value ? 1 : 0);
        return true;
    }
    bool on_null(error_code& ec) { return scalar(BSON_TYPE_NULL, ec); }
    bool on_comment_part(json::string_view, error_code&) noexcept { return true; }
    bool on_comment(json::string_view, error_code&) noexcept { return true; }

  private:
    struct level {
        std::uint32_t start;    // where the document or array begins
        std::uint32_t type_at;  // the type of its field that is being written
        std::uint32_t index;    // number of its fields so far
        bool in_array;
        bool whole;         // a document of its own, which no wrapper can be
        bool verbatim;      // inside of what may be a wrapper, which is looked at when it is complete
        bool first_dollar;  // its first key begins with '$'
        bool any_dollar;
        bool code;      // its first key is "$code"
        bool at_scope;  // its field that is being written is the scope of a piece of code
    };

    std::uint32_t offset() const noexcept { return static_cast<std::uint32_t>(out_.size()); }

    /// Writes the type of the next value, in an array also its key.
    void begin(bson_type_t type) {
        auto& top = levels_[depth_ - 1];
        if (!top.in_array) {
            out_.data()[top.type_at] = static_cast<std::uint8_t>(type);
            return;
        }
        top.type_at = offset();
        std::array<char, 12> key;
        key[0] = static_cast<char>(type);
        auto* const end = std::to_chars(key.data() + 1, key.data() + key.size() - 1, top.index++).ptr;
        *end = 0;
        out_.put(key.data(), static_cast<std::size_t>(end + 1 - key.data()));
    }

    bool scalar(bson_type_t type, error_code& ec) {
        if (depth_ <= outer_levels_) return fail(ec);
        begin(type);
        return true;
    }

    void enter(bool in_array) {
        auto& entered = levels_[depth_];
        entered = {};
        entered.start = offset();
        entered.in_array = in_array;
        entered.whole = depth_ == outer_levels_;
        if (depth_ > outer_levels_) {
            auto const& parent = levels_[depth_ - 1];
            entered.whole = parent.at_scope;
            entered.verbatim = parent.verbatim || (parent.first_dollar && !parent.at_scope);
        }
        ++depth_;
        if (depth_ > max_message_depth + outer_levels_) as_text_ = true;
        out_.put_number(std::int32_t{0});
    }
    void leave() {
        out_.put(0);
        auto const start = levels_[--depth_].start;
        out_.set_length(start, out_.size() - start);
    }

    void dollar_key(level& top) {
        auto const* const key = reinterpret_cast<char const*>(out_.data() + top.type_at + 1);
        top.any_dollar = true;
        if (top.index == 0) {
            top.first_dollar = true;
            top.code = std::strcmp(key, "$code") == 0;
        } else if (top.index == 1 && top.code && !top.verbatim) {
            top.at_scope = std::strcmp(key, "$scope") == 0;
        }
    }

    /// Replaces a complete object by what it stands for, if it is a wrapper.
    bool unwrapped(level const& object) {
        if (object.whole || !object.first_dollar) return false;
        value_.cut(0);
        auto const type = unwrap(out_.from(object.start), depth_ + 1 - outer_levels_, value_);
        if (type == BSON_TYPE_EOD) return false;
        out_.cut(object.start);
        out_.put(value_.from(0));
        out_.data()[levels_[depth_ - 1].type_at] = static_cast<std::uint8_t>(type);
        return true;
    }

    bool end_message(level const& message, error_code& ec) {
        if (as_text_) {
            auto const text = lines_.line(messages_);
            // Checked, since a text that is laid out in another way would go unnoticed.
            if (encode_document_text(text).text != text || text.empty()) return fail(ec);
            out_.cut(message.start);
            out_.data()[levels_[0].type_at] = BSON_TYPE_UTF8;
            out_.put_number(static_cast<std::int32_t>(text.size() + 1));
            out_.put(text);
            out_.put(0);
            any_text_ = true;
            as_text_ = false;
        }
        ++messages_;
        return true;
    }

    static bool fail(error_code& ec) {
        ec = errc::invalid_document;
        return false;
    }

    bytes& out_;
    bytes value_;
    line_finder lines_;
    std::size_t outer_levels_;
    std::size_t depth_ = 0;
    std::size_t string_at_ = 0;
    std::size_t messages_ = 0;
    bool inside_ = false;    // of a key or a string that comes in parts
    bool as_text_ = false;   // the message is to be stored as text
    bool any_text_ = false;  // a message has been stored as text
    std::array<level, max_document_depth + 1> levels_;
};

using parser = json::basic_parser<json_writer>;

json::parse_options options(std::size_t depth) {
    json::parse_options chosen;
    chosen.max_depth = depth;
    return chosen;
}

parsed parse(parser& with, std::string_view text) {
    parsed result;
    result.position = with.write_some(false, text.data(), text.size(), result.problem);
    if (!result.problem && result.position != text.size()) result.problem = json::error::extra_data;
    return result;
}

}  // namespace

parsed write_document(std::string_view text, bytes& out) {
    parser with(options(max_document_depth), out, std::string_view{});
    return parse(with, text);
}

parsed write_messages(std::string_view text, std::size_t count, bytes& out) {
    parser with(options(max_document_depth + 1), out, text);
    auto result = parse(with, text);
    if (result.problem) return result;
    auto const& handler = with.handler();
    // The text of a message was taken from its line: there must not be more or fewer lines than messages.
    auto const line_breaks = [&] { return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')); };
    if (handler.messages() != count || (handler.any_text() && line_breaks() + 1 != count)) {
        result.problem = errc::invalid_document;
    }
    return result;
}

}  // namespace minibatch::bson
