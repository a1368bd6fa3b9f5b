#include "power_cuts/found_after_cut.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <boost/json.hpp>
#include <map>
#include <set>

namespace minibatch::test {
namespace {

namespace json = boost::json;
using outcome = operation::outcome;

store::steady_time in_time() { return std::chrono::steady_clock::now() + std::chrono::seconds(20); }

std::int64_t field(std::string_view document, std::string_view name) {
    return json::parse({document.data(), document.size()})
        .as_object()
        .at({name.data(), name.size()})
        .to_number<std::int64_t>();
}

/// What the database holds.
struct content {
    struct message {
        std::int64_t offset = 0;
        int operation = 0;
        std::int64_t index = 0;
    };
    std::vector<message> messages;
    std::int64_t floor = 0;
    std::int64_t low = 0;
    std::vector<int> commits;  // by the documents that they inserted

    explicit content(store::store& from) {
        auto const stream = from.find_stream("s", in_time());
        if (!stream) return;
        store::log_id const log{stream->incarnation, 0};
        for (std::int64_t next = 0;;) {
            auto const got = from.read(log, next, {}, in_time());
            floor = got.state.floor.offset;
            for (auto const& record : got.records) {
                for (std::int64_t i = 0; i < record->count(); ++i)
                    messages.push_back({record->first() + i, static_cast<int>(field(record->document(i), "operation")),
                                        field(record->document(i), "i")});
                next = record->number() + 1;
            }
            if (next >= got.state.end.number) break;
        }
        for (auto const& group : from.list_groups(stream->incarnation, in_time())) low = group.state.low;
        for (auto const& [key, document] : from.read_collection("done", in_time()))
            commits.push_back(static_cast<int>(field(document, "commit")));
    }
};

std::string integrity(std::filesystem::path const& path) {
    sqlite3* db = nullptr;
    std::string out;
    auto const add = [](void* to, int, char** values, char**) {
        *static_cast<std::string*>(to) += values[0] ? values[0] : "";
        return 0;
    };
    int const result = sqlite3_open(path.c_str(), &db);
    if (result != SQLITE_OK || sqlite3_exec(db, "PRAGMA integrity_check", add, &out, nullptr) != SQLITE_OK)
        out = sqlite3_errmsg(db);
    sqlite3_close(db);
    return out == "ok" ? "" : out;
}

class comparison {
  public:
    comparison(content const& found, std::vector<operation> const& operations, std::size_t cut, promise kept)
        : found_(found), operations_(operations), cut_(cut), kept_(kept) {}

    std::vector<std::string> run() {
        check_messages();
        check_commits();
        check_presence();
        return std::move(wrong_);
    }

  private:
    void say(std::string what) { wrong_.push_back(std::move(what)); }

    /// The outcome as the program knew it at the cut.
    outcome known(operation const& one) const {
        return one.result != outcome::pending && one.ended <= cut_ ? one.result : outcome::pending;
    }
    bool may_be_there(operation const& one) const { return one.begun < cut_ && known(one) != outcome::refused; }

    void check_messages() {
        auto next = found_.floor;
        int before = 0;
        for (auto const& message : found_.messages) {
            auto const where = "offset " + std::to_string(message.offset) + ": ";
            auto const number = message.operation;
            if (message.offset != next && message.offset >= found_.floor)
                say(where + "comes where another is expected");
            next = message.offset + 1;
            if (number < before) say(where + "operation " + std::to_string(number) + " behind a later one");
            before = number;
            if (number < 1 || number > static_cast<int>(operations_.size())) {
                say(where + "of no operation");
                continue;
            }
            auto const& one = operations_[static_cast<std::size_t>(number) - 1];
            if (known(one) == outcome::done && message.offset != one.first + message.index)
                say(where + "message " + std::to_string(message.index) + " of operation " + std::to_string(number) +
                    ", which was acknowledged at " + std::to_string(one.first));
            if (++seen_[number] != message.index + 1)
                say(where + "message " + std::to_string(message.index) + " of operation " + std::to_string(number) +
                    " is there twice, or the one before is missing");
        }
        for (auto const& [number, count] : seen_)
            if (number >= 1 && number <= static_cast<int>(operations_.size()) &&
                count < operations_[static_cast<std::size_t>(number) - 1].messages)
                say("operation " + std::to_string(number) + " is there in part");
        if (found_.floor > found_.low) say("messages were removed that are not committed");
    }

    void check_commits() {
        std::set<int> once;
        for (int const number : found_.commits)
            if (!once.insert(number).second) say("commit " + std::to_string(number) + " was carried out twice");
        std::int64_t highest = 0;
        for (auto const& one : operations_)
            if (one.what == operation::kind::commit && once.count(one.number) != 0) highest = one.low;
        if (highest != found_.low)
            say("progress is at " + std::to_string(found_.low) + ", but the last commit carried out is up to " +
                std::to_string(highest));
    }

    /// Nothing if it cannot be seen any more.
    std::optional<bool> there(operation const& one) const {
        if (one.what == operation::kind::commit)
            return std::count(found_.commits.begin(), found_.commits.end(), one.number) != 0;
        if (seen_.count(one.number) != 0) return true;
        if (known(one) == outcome::done && one.first < found_.floor) return std::nullopt;
        return false;
    }

    void check_presence() {
        bool end = false;  // with the weaker promise: what comes next must not be there
        for (auto const& one : operations_) {
            auto const is = there(one);
            if (!is) continue;
            auto const name = "operation " + std::to_string(one.number);
            if (*is && !may_be_there(one))
                say(name + " is there, though it " + (one.begun < cut_ ? "was refused" : "was never asked for"));
            if (*is && end) say(name + " is there, but an earlier one is not");
            if (!*is && known(one) == outcome::done) {
                if (kept_ == promise::each) say(name + " was acknowledged and is lost");
                end = kept_ == promise::prefix;
            }
        }
    }

    content const& found_;
    std::vector<operation> const& operations_;
    std::size_t const cut_;
    promise const kept_;
    std::map<int, std::int64_t> seen_;
    std::vector<std::string> wrong_;
};

void use(store::store& database, std::vector<std::string>& wrong) {
    store::log_id const log{database.open_stream("s", 1, {}, in_time()).incarnation, 0};
    log::segment_text text;
    text.add("{\"new\":1}");
    store::append_request request;
    request.log = log;
    request.count = 1;
    request.text = std::make_shared<std::string const>(text.finish());
    store::write_job job{std::move(request), {}};
    database.write({&job, 1}, in_time());
    auto const* const got = std::get_if<store::append_result>(&job.result);
    if (!got)
        wrong.push_back("the database cannot be used: " + std::get<error>(job.result).diagnostics());
    else if (database.read(log, got->number, {}, in_time()).records.at(0)->document(0) != "{\"new\":1}")
        wrong.push_back("what was appended afterwards reads otherwise");
}

}  // namespace

std::vector<std::string> violations(std::filesystem::path const& directory, std::vector<operation> const& operations,
                                    std::size_t cut, promise kept) {
    auto const path = directory / workload::database_name();
    std::vector<std::string> wrong;
    try {
        auto const database = store::open_store("sqlite:" + path.string());
        content const found(*database);
        wrong = comparison(found, operations, cut, kept).run();
        use(*database, wrong);
    } catch (error const& failure) {
        wrong.push_back(failure.diagnostics());
    } catch (std::exception const& failure) {
        wrong.push_back(std::string("a document cannot be read: ") + failure.what());
    }
    if (auto const damage = integrity(path); !damage.empty()) wrong.push_back("SQLite finds damage: " + damage);
    return wrong;
}

}  // namespace minibatch::test
