#include <boost/json/parse.hpp>
#include <minibatch/emitter.hpp>
#include <minibatch/error.hpp>
#include <string>

namespace minibatch {

boost::json::value message::data() const {
    boost::json::parse_options options;
    options.max_depth = 100;
    error_code failed;
    auto value = boost::json::parse(text_, failed, {}, options);
    if (failed) {
        throw error(errc::corrupt, "message " + std::to_string(offset_) + " of partition " +
                                       std::to_string(partition_) + " is not a JSON document: " + failed.message());
    }
    return value;
}

boost::json::array window_emitter::query(std::span<message const> taken) {
    boost::json::array documents;
    documents.reserve(taken.size());
    for (auto const& each : taken) documents.push_back(each.data());
    return documents;
}

}  // namespace minibatch
