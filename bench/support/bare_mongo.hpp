#pragma once

#include <cstdint>
#include <string>
#include <vector>

/// What can be done on MongoDB with the C driver alone, on one connection a thread; each call waits for the one before.
/// The documents are those of `documents`; all rates are documents a second.
namespace bench {

/// Inserts segments of these sizes, each with one command: a document that holds what a record of minibatch holds. Its
/// messages are built field by field in the loop.
double bare_segments_rate(std::string const& url, std::vector<std::int64_t> const& sizes);

/// The messages of a segment as `bare_segments_rate` builds them, in BSON.
std::string bare_messages(std::int64_t first, std::int64_t count);

/// One document a message, inserted in batches.
double insert_many_rate(std::string const& url, std::int64_t count, std::int64_t batch);

/// The same, and each batch is then found, looked at and deleted before the next.
double insert_find_delete_rate(std::string const& url, std::int64_t count, std::int64_t batch);

/// What appending, taking windows of `window_size` and committing one after another comes down to: one thread inserts
/// segments of 1,000 messages, another updates a document for each window that is there by then. The first is at most
/// `lead` messages ahead.
double bare_pipeline_rate(std::string const& url, std::int64_t count, std::int64_t window_size, std::int64_t lead);

}  // namespace bench
