#include "bson/messages.hpp"

#include <minibatch/document.hpp>
#include <span>

#include "bson/bytes.hpp"
#include "bson/json_writer.hpp"
#include "bson/reader.hpp"
#include "bson/to_json.hpp"

namespace minibatch::bson {
namespace {

[[noreturn]] void damaged(std::string const& what) { throw error(errc::corrupt, what); }

[[noreturn]] void miscounted(std::string const& there, std::int64_t count) {
    damaged("there are " + there + " messages where there should be " + std::to_string(count));
}

[[noreturn]] void damaged_message(std::size_t index, std::string const& what) {
    damaged("message " + std::to_string(index) + ": " + what);
}

void append_message(element const& message, std::size_t index, std::string& out) {
    if (message.type == BSON_TYPE_DOCUMENT) {
        try {
            append_json(message.value, nullptr, out);
        } catch (error const& problem) {
            damaged_message(index, problem.diagnostics());
        }
    } else if (message.type == BSON_TYPE_UTF8) {
        auto const encoded = encode_document_text(message.text());
        if (encoded.problem) damaged_message(index, encoded.problem->diagnostics());
        out += encoded.text;
    } else {
        damaged_message(index, "it is neither a document nor a text");
    }
}

}  // namespace

bool append_messages(bson_t& into, std::string_view key, std::string_view segment_text, std::int64_t count,
                     std::size_t most) {
    // Around the array there are its type, its key and the end of the key.
    auto const used = into.len + key.size() + 2;
    if (used > most) return false;
    bytes array(most - used);
    try {
        auto const result = write_messages(segment_text, static_cast<std::size_t>(count), array);
        if (result.problem) {
            damaged("the text of a segment with " + std::to_string(count) + " messages is damaged at byte " +
                    std::to_string(result.position + 1) + ": " + result.problem.message());
        }
    } catch (limit_reached const&) {
        return false;
    }
    bson_t view;
    return bson_init_static(&view, array.data(), array.size()) &&
           bson_append_array(&into, key.data(), static_cast<int>(key.size()), &view);
}

std::string messages_text(bson_iter_t const& array, std::int64_t count) {
    if (!BSON_ITER_HOLDS_ARRAY(&array)) damaged("the messages are not an array");
    std::uint32_t length = 0;
    std::uint8_t const* data = nullptr;
    bson_iter_array(&array, &length, &data);
    std::string text;
    text.reserve(length + length / 4);
    text += '[';
    reader from({data, length});
    element message;
    std::size_t index = 0;
    for (; from.next(message); ++index) {
        if (static_cast<std::int64_t>(index) >= count) miscounted("more", count);
        if (index != 0) text += ",\n";
        append_message(message, index, text);
    }
    if (from.damaged()) damaged_message(index, "the BSON is damaged");
    if (static_cast<std::int64_t>(index) != count) miscounted("only " + std::to_string(index), count);
    text += ']';
    return text;
}

}  // namespace minibatch::bson
