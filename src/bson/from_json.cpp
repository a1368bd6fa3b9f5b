#include "bson/from_json.hpp"

#include <minibatch/document.hpp>

#include "bson/json_writer.hpp"

namespace minibatch::bson {
namespace {

/// What `encode_document*` has accepted.
document from_encoded(std::string_view text) {
    bytes out;
    auto const result = write_document(text, out);
    if (result.problem) {
        throw error(errc::invalid_document,
                    "at byte " + std::to_string(result.position + 1) + ": " + result.problem.message());
    }
    return document(out.from(0));
}

}  // namespace

document from_json(std::string_view text) {
    if (text.size() <= max_document_bytes) {
        bytes out;
        if (!write_document(text, out).problem) return document(out.from(0));
    }
    // Something is wrong, or there is white space around the document. The check finds the words for it.
    auto encoded = encode_document_text(text);
    if (encoded.problem) throw std::move(*encoded.problem);
    return from_encoded(encoded.text);
}

document from_value(boost::json::value const& value) {
    auto encoded = encode_document(value);
    if (encoded.problem) throw std::move(*encoded.problem);
    return from_encoded(encoded.text);
}

}  // namespace minibatch::bson
