#pragma once

#include <algorithm>
#include <boost/beast/http/status.hpp>
#include <boost/json/object.hpp>
#include <minibatch.hpp>
#include <string>
#include <string_view>
#include <vector>

/// The documents of a body: one JSON object, or JSON lines. Throws `minibatch::error` with `invalid_document`.
inline std::vector<minibatch::encoded_document> documents_of(std::string_view body) {
    std::vector<std::string_view> lines;
    for (std::size_t at = 0; at < body.size();) {
        auto const end = std::min(body.find('\n', at), body.size());
        lines.push_back(body.substr(at, end - at));
        at = end + 1;
    }
    auto const blank = [](std::string_view line) { return line.find_first_not_of(" \t\r") == line.npos; };
    auto const first = std::ranges::find_if_not(lines, blank);
    // An object may be spread over several lines; then the first line alone is none.
    auto const one = first == lines.end() || minibatch::encode_document_text(*first).problem.has_value();
    if (one) lines.assign(1, body);
    std::vector<minibatch::encoded_document> documents;
    for (std::size_t i = 0; i < lines.size(); ++i) {
        if (!one && blank(lines[i])) continue;
        documents.push_back(minibatch::encode_document_text(lines[i]));
        if (auto const& problem = documents.back().problem) {
            auto const where = one ? std::string() : "line " + std::to_string(i + 1) + ": ";
            throw minibatch::error(problem->code(), where + problem->diagnostics());
        }
    }
    return documents;
}

/// A window as it is sent.
inline boost::json::object event_of(minibatch::window const& window) {
    boost::json::object event;
    event["window"] = window.id();
    event["first"] = *window.first();
    event["last"] = *window.last();
    event["attempt"] = window.attempt();
    event["data"] = window.data();
    return event;
}

/// The status that tells a client what to make of an error.
inline boost::beast::http::status status_of(minibatch::error const& problem) {
    using boost::beast::http::status;
    using minibatch::errc;
    switch (static_cast<errc>(problem.code().value())) {
        case errc::invalid_name:
        case errc::invalid_document:
            return status::bad_request;
        case errc::document_too_large:
            return status::payload_too_large;
        case errc::stream_not_found:
        case errc::stream_deleted:
            return status::not_found;
        case errc::storage_full:
            return status::insufficient_storage;
        case errc::unavailable:
        case errc::timeout:
            return status::service_unavailable;
        default:
            return status::internal_server_error;
    }
}
