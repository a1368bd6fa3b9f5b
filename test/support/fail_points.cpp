#include "support/fail_points.hpp"

#include <boost/json.hpp>
#include <iostream>
#include <stdexcept>

#include "support/mongo_command.hpp"

namespace minibatch::test {
namespace {

namespace json = boost::json;

}  // namespace

std::string fail_point_command(fail_command const& what) {
    if (what.commands.empty()) throw std::invalid_argument("a fail point names at least one command");
    if (!what.error_code && !what.close_connection && !what.write_concern_error && what.block.count() == 0)
        throw std::invalid_argument("a fail point lets something happen");
    if (what.times != 0 && what.skip != 0) throw std::invalid_argument("a fail point has either times or skip");
    json::object data{{"failCommands", json::value_from(what.commands)}};
    if (what.error_code) data["errorCode"] = *what.error_code;
    if (!what.error_labels.empty()) data["errorLabels"] = json::value_from(what.error_labels);
    if (what.close_connection) data["closeConnection"] = true;
    if (what.write_concern_error)
        data["writeConcernError"] = {{"code", *what.write_concern_error}, {"errmsg", "a fail point of the test"}};
    if (what.block.count() > 0) {
        data["blockConnection"] = true;
        data["blockTimeMS"] = what.block.count();
    }
    if (!what.app_name.empty()) data["appName"] = what.app_name;
    json::value mode = "alwaysOn";
    if (what.times != 0) mode = {{"times", what.times}};
    if (what.skip != 0) mode = {{"skip", what.skip}};
    return json::serialize(json::object{{"configureFailPoint", "failCommand"}, {"mode", mode}, {"data", data}});
}

fail_point::fail_point(std::string url, fail_command const& what) : url_(std::move(url)) {
    mongo_admin_command(url_, fail_point_command(what));
}

fail_point::~fail_point() {
    try {
        off();
    } catch (std::exception const& failure) {
        std::cerr << "a fail point may still be on: " << failure.what() << '\n';
    }
}

void fail_point::off() {
    if (!on_) return;
    mongo_admin_command(url_, R"({"configureFailPoint": "failCommand", "mode": "off"})");
    on_ = false;
}

}  // namespace minibatch::test
