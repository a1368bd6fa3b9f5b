#include "tool/appender.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "tool/exit_code.hpp"
#include "tool/input_format.hpp"
#include "tool/line_range.hpp"
#include "tool/standard_streams.hpp"

namespace minibatch::tool {
namespace {

/// The lines that have arrived are stored together, up to so many at a time.
constexpr std::size_t max_batch = 1'000;

encoded_document encode(input_line const& line) {
    if (!line.too_large) return encode_document_text(line.text);
    return {{},
            error(errc::document_too_large, "the line is longer than the largest document, 15 MiB (15728640 bytes)")};
}

/// Whether the line holds a whole JSON array, so that it is one bad line and not the first of a file that is an array.
bool is_whole_array(input_line const& line) {
    if (line.too_large) return false;
    boost::system::error_code failed;
    boost::json::parse(line.text, failed);
    return !failed;
}

}  // namespace

std::string append_tally::line(append_options const& options) const {
    boost::json::object out{{"appended", appended}, {"first", nullptr}, {"last", nullptr}};
    if (first) out["first"] = *first;
    if (last) out["last"] = *last;
    if (options.skip_bad) out["skipped"] = skipped;
    if (options.key) out["without_key"] = without_key;
    return boost::json::serialize(out) + "\n";
}

bool appender::batch::accepts(encoded_document const& document, std::string const& its_key) const {
    return documents.empty() ||
           (documents.size() < max_batch && key == its_key && bytes + document.text.size() <= max_document_bytes / 2);
}

void appender::batch::add(encoded_document document, std::string its_key, line_place const& where) {
    if (documents.empty()) first = where;
    last = where;
    key = std::move(its_key);
    bytes += document.text.size();
    documents.push_back(std::move(document));
}

appender::appender(session& in, append_options const& options, stream target, background_reader& reader,
                   append_tally& done)
    : in_(in), options_(options), target_(std::move(target)), reader_(reader), done_(done), code_(exit_done) {}

asio::awaitable<int> appender::run() {
    std::exception_ptr problem;
    try {
        while (code_ == exit_done) {
            lines_ = co_await reader_.next();
            if (lines_.empty()) break;
            last_read_ = lines_.back();
            co_await store_lines();
        }
    } catch (...) {
        problem = std::current_exception();
    }
    progress_.end();
    report_keys();
    if (problem) co_return report(problem);
    if (code_ != exit_done) co_return code_;
    if (!reader_.reached_end()) co_return report_stop();
    co_return done_.skipped > 0 && done_.appended == 0 ? exit_wrong_use : exit_done;
}

asio::awaitable<void> appender::store_lines() {
    for (at_ = 0; at_ < lines_.size() && code_ == exit_done;) {
        auto const& line = lines_[at_];
        std::string key;
        auto document = line.blank() ? encoded_document() : encode(line);
        if (!line.blank() && is_good(line, document, key)) {
            if (!batch_.accepts(document, key)) co_await store();
            batch_.add(std::move(document), std::move(key), line);
        }
        ++at_;
    }
    co_await store();
}

/// Says what is wrong with a line that is no document. `key` gets the document's key.
bool appender::is_good(input_line const& line, encoded_document& document, std::string& key) {
    if (!document.problem && options_.key) {
        auto found = options_.key->read(document.text);
        if (!found.problem.empty()) {
            document.problem = error(errc::invalid_document, "at " + options_.key->pointer() + ": " + found.problem);
        } else if (found.key.empty()) {
            if (done_.without_key++ == 0) first_without_key_ = line;
        } else if (target_.partitions() > 1) {
            key = std::move(found.key);
        }
    }
    if (!document.problem) return true;
    bool const array_file = line.begins_array && (!options_.skip_bad || !is_whole_array(line));
    complain_of_line(to_string(line) + ": " + (array_file ? array_advice() : document.problem->diagnostics()));
    if (options_.skip_bad) ++done_.skipped;
    if (array_file || !options_.skip_bad) code_ = exit_wrong_use;
    return false;
}

asio::awaitable<void> appender::store() {
    if (batch_.documents.empty()) co_return;
    auto const append = [this]() -> asio::awaitable<position> {
        auto copy = batch_.documents;  // it may have to be repeated
        minibatch::append_options const options{.key = batch_.key};
        co_return co_await target_.append_encoded(std::move(copy), options);
    };
    auto const where = co_await in_.persist(append);
    auto const count = static_cast<std::int64_t>(batch_.documents.size());
    done_.appended += count;
    if (target_.partitions() == 1) {
        if (!done_.first) done_.first = where.offset;
        done_.last = where.offset + count - 1;
    }
    batch_ = {};
    progress_.show(std::to_string(done_.appended) + " appended");
}

void appender::report_keys() const {
    if (done_.without_key == 0) return;
    auto text = "lines without a key in '" + options_.key->text() + "': " + std::to_string(done_.without_key) +
                " (the first: " + to_string(first_without_key_) + "); they go to the partitions in turn";
    if (options_.key->looks_like_path()) text += "; a field inside another one is given as a JSON Pointer, as in /a/b";
    complain(text);
}

/// Names the lines that were read and not stored, and says why. Returns the exit code.
int appender::report(std::exception_ptr const& problem) {
    auto const failed = describe(problem);
    line_range in_doubt;
    line_range not_stored;
    if (auto const count = static_cast<std::int64_t>(batch_.documents.size()); count > 0)
        (failed.outcome_unknown ? in_doubt : not_stored).add(batch_.first, batch_.last, count);
    not_stored.add(lines_, at_);
    not_stored.add(reader_.take_rest(), 0);
    if (auto const begun = reader_.incomplete()) not_stored.add(*begun, *begun, 1);
    if (!in_doubt.empty())
        complain_of_line(in_doubt.sentence("may have been stored", "may have been stored", failed.why));
    if (!not_stored.empty()) complain_of_line(not_stored.sentence("was not stored", "were not stored", failed.why));
    if (in_doubt.empty() && not_stored.empty()) complain(failed.why);
    return failed.code;
}

appender::failure appender::describe(std::exception_ptr const& problem) const {
    try {
        std::rethrow_exception(problem);
    } catch (boost::system::system_error const& failed) {  // minibatch::error is one
        if (failed.code() == asio::error::operation_aborted)
            return {std::string(in_.signal_name()) + ": the database did not store it in time", exit_try_again};
        return {failed.what(), exit_code_of(failed.code()), failed.code() == errc::outcome_unknown};
    } catch (wrong_format const& failed) {
        return {failed.what(), exit_wrong_use};
    } catch (std::exception const& failed) {
        return {failed.what(), exit_failed};
    }
}

int appender::report_stop() {
    auto text = std::string(in_.signal_name()) + ": stopped before the end of the input";
    if (!last_read_.file.empty()) text += ", after " + to_string(last_read_);
    complain(text);
    if (auto const begun = reader_.incomplete())
        complain_of_line(to_string(*begun) + " was not stored: only its beginning has been read");
    return in_.stopped_code();
}

}  // namespace minibatch::tool
