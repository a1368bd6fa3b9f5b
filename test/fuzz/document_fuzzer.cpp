// Whatever text is accepted can be decoded, encoded again, and stays on one line. Whatever stands on the disk is
// refused, or gives as many documents as it should.
#include <array>
#include <cstdint>
#include <cstdlib>
#include <minibatch/document.hpp>

#include "document/decode.hpp"

namespace {

void require(bool holds) {
    if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    std::string_view const input(reinterpret_cast<char const*>(data), size);
    try {
        std::array<std::string_view, 2> const pieces{"{}", input};
        require(minibatch::document::decode_all(pieces, 3, {}).size() == 3);
    } catch (minibatch::error const& problem) {
        require(problem.code() == minibatch::errc::corrupt);
    }
    auto const first = minibatch::encode_document_text(input);
    if (first.problem) {
        require(first.text.empty() && !first.problem->diagnostics().empty());
        return 0;
    }
    require(first.text.find_first_of("\r\n") == std::string::npos);
    auto const value = minibatch::decode_document(first.text);
    require(value.is_object());
    auto const second = minibatch::encode_document(value);
    require(!second.problem);
    require(minibatch::decode_document(second.text) == value);
    require(!minibatch::encode_document_text(second.text).problem);
    return 0;
}
