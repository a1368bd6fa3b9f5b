#pragma once

#include <boost/json/value_to.hpp>
#include <cstdint>
#include <fstream>
#include <minibatch/document.hpp>
#include <stdexcept>
#include <string>
#include <vector>

/// What the examples look at in an earthquake of the feed; `window::as<quake>()` turns documents into these.
struct quake {
    std::int64_t time = 0;  // milliseconds since the Unix epoch
    double magnitude = 0;
    std::string place;
};

inline quake tag_invoke(boost::json::value_to_tag<quake> const&, boost::json::value const& document) {
    auto const& fields = document.as_object();
    return {fields.at("time").to_number<std::int64_t>(), fields.at("mag").to_number<double>(),
            boost::json::value_to<std::string>(fields.at("place"))};
}

/// The lines of a feed, one document each, in the order of their times.
inline std::vector<boost::json::value> read_earthquakes(std::string const& path) {
    std::ifstream file(path);
    if (!file) throw std::runtime_error("cannot read " + path);
    std::vector<boost::json::value> documents;
    for (std::string line; std::getline(file, line);) {
        if (!line.empty()) documents.push_back(minibatch::decode_document(line));
    }
    if (documents.empty()) throw std::runtime_error(path + " has no earthquakes in it");
    return documents;
}
