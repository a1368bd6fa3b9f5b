#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serializer.hpp>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <minibatch/document.hpp>

#include "document/place.hpp"
#include "document/utf8.hpp"

namespace minibatch {
namespace {

namespace json = boost::json;
using document::step;

class value_check {
  public:
    /// `strings`: whether keys and strings are looked at, too.
    explicit value_check(bool strings) : strings_(strings) {}
    std::optional<error> problem;

    bool value(json::value const& value, step const* at, std::size_t depth) {
        switch (value.kind()) {
            case json::kind::object:
                return depth <= max_document_depth ? object(value.get_object(), at, depth) : deep(at);
            case json::kind::array:
                return depth <= max_document_depth ? array(value.get_array(), at, depth) : deep(at);
            case json::kind::string: {
                if (!strings_) return true;
                auto const& text = value.get_string();
                return document::is_utf8({text.data(), text.size()}) || fail(at, "the string is not valid UTF-8");
            }
            case json::kind::uint64: {
                auto const number = value.get_uint64();
                return number <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()) ||
                       fail(at, std::to_string(number) + " does not fit a 64-bit signed integer");
            }
            case json::kind::double_: {
                auto const number = value.get_double();
                if (std::isfinite(number)) return true;
                return fail(at, std::isnan(number) ? "the number is not finite (NaN)" : "the number is not finite");
            }
            default:
                return true;
        }
    }

  private:
    bool object(json::object const& object, step const* at, std::size_t depth) {
        for (auto const& member : object) {
            std::string_view const key(member.key().data(), member.key().size());
            step const here{at, key, 0, false};
            if (strings_) {
                if (!key.empty() && std::memchr(key.data(), 0, key.size()) != nullptr)
                    return fail(&here, "a key must not contain a NUL character");
                if (!document::is_utf8(key)) return fail(&here, "the key is not valid UTF-8");
            }
            if (!value(member.value(), &here, depth + 1)) return false;
        }
        return true;
    }

    bool array(json::array const& array, step const* at, std::size_t depth) {
        step here{at, {}, 0, true};
        for (auto const& element : array) {
            if (!value(element, &here, depth + 1)) return false;
            ++here.index;
        }
        return true;
    }

    bool deep(step const* at) { return fail(at, "nested deeper than 100 levels"); }

    bool fail(step const* at, std::string_view what) {
        problem = document::invalid_at(document::pointer_of(at), what);
        return false;
    }

    bool strings_;
};

}  // namespace

encoded_document encode_document(json::value const& document) {
    encoded_document result;
    if (!document.is_object()) {
        auto const kind = json::to_string(document.kind());
        result.problem = document::invalid_at(
            {}, "a document is a JSON object, this is of the type " + std::string(kind.data(), kind.size()));
        return result;
    }
    thread_local json::serializer serializer;
    serializer.reset(&document);
    // Most documents fit the first chunk, and then the text is allocated once, with the right size.
    std::array<char, 8192> chunk;
    do {
        auto const part = serializer.read(chunk.data(), chunk.size());
        result.text.append(part.data(), part.size());
        if (result.text.size() > max_document_bytes) {
            result.text = {};
            result.problem = document::too_large();
            return result;
        }
    } while (!serializer.done());
    // ASCII without an escape sequence: no string in it can be wrong. That is most documents, and saves half the check.
    value_check check(!document::is_ascii(result.text) || result.text.find('\\') != std::string::npos);
    if (!check.value(document, nullptr, 1)) {
        result.text = {};
        result.problem = std::move(check.problem);
    }
    return result;
}

}  // namespace minibatch
