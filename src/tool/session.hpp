#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <functional>
#include <minibatch.hpp>
#include <string>

#include "tool/options.hpp"

namespace minibatch::tool {

namespace asio = boost::asio;

/// What a command runs in: the database's URL, and what to do when a signal asks to finish.
struct session {
    std::string url;
    /// Set by a command that has something to finish; called on SIGINT or SIGTERM, once. Whoever sets it late has to
    /// look at `stopping`.
    std::function<void()> on_stop = {};
    bool stopping = false;

    /// `create`: whether a database that does not exist is made.
    asio::awaitable<database> connect(bool create = false) const;
    /// For commands that only read: nothing is written to the database, nor made beside it.
    asio::awaitable<database> connect_for_reading() const;
    void stop() {
        stopping = true;
        if (on_stop) on_stop();
    }
};

/// A problem with standard output: it was closed, or its disk is full.
struct output_error : std::runtime_error {
    using std::runtime_error::runtime_error;
};
/// Writes all of a text to standard output, past any buffer. Throws output_error.
void write_out(std::string_view text);
/// A message on standard error; what a terminal would take for commands is shown as `\x1b`.
void complain(std::string_view text);

asio::awaitable<int> run_append(session& in, append_options options);
asio::awaitable<int> run_consume(session& in, consume_options options);
asio::awaitable<int> run_peek(session& in, peek_options options);
asio::awaitable<int> run_streams(session& in);
asio::awaitable<int> run_info(session& in, info_options options);
asio::awaitable<int> run_delete(session& in, delete_options options);
asio::awaitable<int> run_delete_group(session& in, delete_group_options options);

}  // namespace minibatch::tool
