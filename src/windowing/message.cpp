#include <minibatch/document.hpp>
#include <minibatch/emitter.hpp>
#include <minibatch/error.hpp>
#include <string>

namespace minibatch {

boost::json::value message::data() const {
    try {
        return decode_document(text_);
    } catch (error const& problem) {
        throw error(problem.code(), "message " + std::to_string(offset_) + " of partition " +
                                        std::to_string(partition_) + ": " + problem.diagnostics());
    }
}

boost::json::array window_emitter::query(std::span<message const> taken) {
    boost::json::array documents;
    documents.reserve(taken.size());
    for (auto const& each : taken) documents.push_back(each.data());
    return documents;
}

}  // namespace minibatch
