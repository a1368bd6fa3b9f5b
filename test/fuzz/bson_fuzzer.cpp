// Bytes that may be BSON are refused or shown, and what was shown gives the same text again. Texts that are documents
// become BSON and come back; as messages of a segment, too.
#include <bson/bson.h>

#include <cstdint>
#include <cstdlib>
#include <minibatch/document.hpp>
#include <string_view>

#include "bson/from_json.hpp"
#include "bson/messages.hpp"
#include "bson/to_json.hpp"

namespace {

namespace bson = minibatch::bson;
using minibatch::errc;

void require(bool holds) {
    if (!holds) std::abort();
}

/// What was shown once must come back as it is.
void require_stable(std::string const& text) {
    auto const first = bson::from_json(text);
    auto const shown = bson::to_json(*first);
    auto const second = bson::from_json(shown);
    require(bson::to_json(*second) == shown);
    require(bson_validate(first.get(), BSON_VALIDATE_NONE, nullptr));
}

void try_bson(std::uint8_t const* data, std::size_t size) {
    bson_t view;
    if (!bson_init_static(&view, data, size)) return;
    try {
        auto const text = bson::to_json(view);
        require(!minibatch::encode_document_text(text).problem);
        require_stable(text);
    } catch (minibatch::error const& problem) {
        require(problem.code() == errc::corrupt || problem.code() == errc::invalid_document);
        require(!problem.diagnostics().empty());
    }
}

void try_messages(std::uint8_t const* data, std::size_t size) {
    bson_t view;
    bson_iter_t field;
    if (!bson_init_static(&view, data, size) || !bson_iter_init(&field, &view) || !bson_iter_next(&field)) return;
    try {
        auto const text = bson::messages_text(field, 2);
        bson::document record;
        require(bson::append_messages(*record, "data", text, 2));
    } catch (minibatch::error const& problem) {
        require(problem.code() == errc::corrupt);
    }
}

void try_text(std::string_view input) {
    auto const encoded = minibatch::encode_document_text(input);
    if (encoded.problem) {
        try {
            (void)bson::from_json(input);
            std::abort();
        } catch (minibatch::error const& problem) {
            require(problem.diagnostics() == encoded.problem->diagnostics());
        }
        return;
    }
    require_stable(encoded.text);
    bson::document record;
    require(bson::append_messages(*record, "data", "[{},\n" + encoded.text + "]", 2));
    bson_iter_t field;
    require(bson_iter_init_find(&field, record.get(), "data"));
    auto const back = bson::messages_text(field, 2);
    bson::document again;
    require(bson::append_messages(*again, "data", back, 2));
    require(bson::messages_text(field, 2) == back);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    if (size == 0) return 0;
    auto const* const rest = data + 1;
    switch (data[0] % 3) {
        case 0:
            try_bson(rest, size - 1);
            break;
        case 1:
            try_messages(rest, size - 1);
            break;
        default:
            try_text({reinterpret_cast<char const*>(rest), size - 1});
    }
    return 0;
}
