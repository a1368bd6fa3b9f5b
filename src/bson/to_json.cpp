#include "bson/to_json.hpp"

#include <array>
#include <charconv>
#include <minibatch/document.hpp>

#include "bson/extended_json.hpp"
#include "bson/reader.hpp"

namespace minibatch::bson {
namespace {

using minibatch::document::step;

class json_text {
  public:
    explicit json_text(std::string& out) noexcept : out_(out) {}

    void object(std::span<std::uint8_t const> document, step const* at, std::size_t depth) {
        out_ += '{';
        reader from(document);
        element field;
        for (bool first = true; from.next(field); first = false) {
            if (!first) out_ += ',';
            step const here{at, field.key, 0, false};
            if (!append_quoted(field.key, out_)) fail(&here, "the key is not valid UTF-8");
            out_ += ':';
            value(field, &here, depth);
        }
        if (from.damaged()) fail(at, "the BSON is damaged");
        out_ += '}';
    }

  private:
    void array(std::span<std::uint8_t const> elements, step const* at, std::size_t depth) {
        out_ += '[';
        reader from(elements);
        element next;
        step here{at, {}, 0, true};
        for (; from.next(next); ++here.index) {
            if (here.index != 0) out_ += ',';
            value(next, &here, depth);
        }
        if (from.damaged()) fail(at, "the BSON is damaged");
        out_ += ']';
    }

    /// `depth` is the level of the document or array that holds the value.
    void value(element const& value, step const* at, std::size_t depth) {
        switch (value.type) {
            case BSON_TYPE_UTF8:
                if (!append_quoted(value.text(), out_)) fail(at, "the string is not valid UTF-8");
                return;
            case BSON_TYPE_INT32:
                return number(value.number<std::int32_t>());
            case BSON_TYPE_INT64:
                return number(value.number<std::int64_t>());
            case BSON_TYPE_BOOL:
                out_ += value.value[0] != 0 ? "true" : "false";
                return;
            case BSON_TYPE_NULL:
                out_ += "null";
                return;
            case BSON_TYPE_DOCUMENT:
                within(depth + 1, at);
                return object(value.value, at, depth + 1);
            case BSON_TYPE_ARRAY:
                within(depth + 1, at);
                return array(value.value, at, depth + 1);
            default:
                break;
        }
        auto const levels = wrapper_levels(value);
        if (levels == 0) return decimal(value.as_double());
        bool const scope = value.type == BSON_TYPE_CODEWSCOPE;
        within(depth + levels + (scope ? 1 : 0), at);
        if (!wrap(value, out_)) fail(at, "a text in the value is not valid UTF-8");
        if (!scope) return;
        // Length, and code as a string, stand before the scope.
        auto const code = element::text_at(value.value.subspan(4));
        step const inside{at, "$scope", 0, false};
        object(value.value.subspan(4 + 4 + code.size() + 1), &inside, depth + 2);
        out_ += '}';
    }

    template <class Integer>
    void number(Integer value) {
        std::array<char, 24> text;
        out_.append(text.data(), std::to_chars(text.data(), text.data() + text.size(), value).ptr);
    }
    void decimal(double value) {
        std::array<char, 40> text;
        auto* end = std::to_chars(text.data(), text.data() + text.size() - 2, value).ptr;
        std::string_view const digits(text.data(), static_cast<std::size_t>(end - text.data()));
        if (digits.find_first_of(".e") == std::string_view::npos) {
            // Else it would come back as an integer.
            *end++ = '.';
            *end++ = '0';
        }
        out_.append(text.data(), end);
    }

    static void within(std::size_t depth, step const* at) {
        if (depth > max_document_depth) {
            throw minibatch::document::invalid_at(minibatch::document::pointer_of(at), "nested deeper than 100 levels");
        }
    }
    [[noreturn]] static void fail(step const* at, char const* what) {
        auto const pointer = minibatch::document::pointer_of(at);
        throw error(errc::corrupt, (pointer.empty() ? pointer : "at " + pointer + ": ") + what);
    }

    std::string& out_;
};

}  // namespace

void append_json(std::span<std::uint8_t const> document, step const* at, std::string& out) {
    json_text(out).object(document, at, 1);
}

std::string to_json(bson_t const& document) {
    std::string out;
    out.reserve(document.len + document.len / 2);
    append_json({bson_get_data(&document), document.len}, nullptr, out);
    return out;
}

boost::json::value to_value(bson_t const& document) { return decode_document(to_json(document)); }

}  // namespace minibatch::bson
