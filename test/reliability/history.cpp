#include "reliability/history.hpp"

#include <algorithm>
#include <sstream>
#include <stdexcept>

namespace minibatch::test {
namespace {

[[noreturn]] void refuse(std::string const& line) { throw std::runtime_error("not a line of a report: " + line); }

delivery& latest(history& of, int run, std::string const& id, std::string const& line) {
    auto const found = std::find_if(of.deliveries.rbegin(), of.deliveries.rend(),
                                    [&](auto const& each) { return each.run == run && each.id == id; });
    if (found == of.deliveries.rend()) refuse(line);
    return *found;
}

void read_call(std::string const& what, std::istringstream& in, history& into, std::string const& line) {
    append_call call;
    if (!(in >> call.producer >> call.first >> call.last)) refuse(line);
    if (what == "appending") {
        if (!(in >> call.mode)) refuse(line);
        into.calls.push_back(call);
        return;
    }
    auto const begun = std::find_if(into.calls.rbegin(), into.calls.rend(), [&](auto const& each) {
        return each.producer == call.producer && each.first == call.first && each.last == call.last;
    });
    if (begun == into.calls.rend() || !(in >> begun->partition >> begun->offset)) refuse(line);
    begun->acknowledged = true;
}

}  // namespace

void read_report(std::vector<std::string> const& lines, history& into) {
    using outcome = delivery::outcome;
    std::size_t at = 0;
    for (auto const& line : lines) {
        ++at;
        std::istringstream in(line);
        std::string what;
        in >> what;
        if (what == "appending" || what == "appended") {
            read_call(what, in, into, line);
            continue;
        }
        int run = 0;
        std::string id;
        if (!(in >> run >> id)) refuse(line);
        if (what == "delivered") {
            delivery made;
            made.run = run;
            made.id = id;
            std::string messages;
            if (!(in >> made.partition >> made.attempt >> made.start >> made.end >> made.reason >> messages))
                refuse(line);
            made.messages = from_word(messages, made.partition);
            made.delivered_at = at;
            into.deliveries.push_back(std::move(made));
            continue;
        }
        auto& of = latest(into, run, id, line);
        if (what == "committing") {
            of.what = outcome::in_doubt;
            of.committing_at = at;
        } else if (what == "committed" || what == "fenced") {
            of.what = what == "committed" ? outcome::committed : outcome::fenced;
            of.resolved_at = at;
        } else {
            refuse(line);
        }
    }
}

}  // namespace minibatch::test
