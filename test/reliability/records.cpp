#include "reliability/records.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <fstream>
#include <sstream>
#include <system_error>

namespace minibatch::test {
namespace {

constexpr std::string_view mark = " ;";

[[noreturn]] void fail(std::string const& what) { throw std::system_error(errno, std::generic_category(), what); }

}  // namespace

boost::json::value to_document(numbered const& from) {
    return boost::json::object{
        {"producer", from.producer}, {"number", from.number}, {"first", from.call_first}, {"last", from.call_last}};
}

numbered from_message(message const& from) {
    auto const document = from.data();
    numbered out;
    out.partition = from.partition();
    out.offset = from.offset();
    out.created = from.created().time_since_epoch().count();
    out.producer = document.at("producer").to_number<int>();
    out.number = document.at("number").to_number<std::int64_t>();
    out.call_first = document.at("first").to_number<std::int64_t>();
    out.call_last = document.at("last").to_number<std::int64_t>();
    return out;
}

std::string to_word(std::vector<numbered> const& messages) {
    if (messages.empty()) return "-";
    std::string out;
    for (auto const& each : messages) {
        if (!out.empty()) out += ',';
        out += std::to_string(each.offset) + ':' + std::to_string(each.created) + ':' + std::to_string(each.producer) +
               ':' + std::to_string(each.number) + ':' + std::to_string(each.call_first) + ':' +
               std::to_string(each.call_last);
    }
    return out;
}

std::vector<numbered> from_word(std::string const& word, int partition) {
    std::vector<numbered> out;
    if (word == "-") return out;
    std::istringstream in(word);
    char colon = ':';
    for (char comma = ','; comma == ',';) {
        numbered one;
        one.partition = partition;
        in >> one.offset >> colon >> one.created >> colon >> one.producer >> colon >> one.number >> colon >>
            one.call_first >> colon >> one.call_last;
        if (!in) throw std::runtime_error("a report cannot be read: " + word);
        out.push_back(one);
        if (!(in >> comma)) break;
    }
    return out;
}

report::report(std::string const& path) : file_(::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644)) {
    if (file_ < 0) fail(path);
}

report::~report() { ::close(file_); }

void report::line(std::string const& text) const {
    auto const whole = "\n" + text + std::string(mark) + "\n";
    if (::write(file_, whole.data(), whole.size()) != static_cast<ssize_t>(whole.size())) fail("report");
}

bool is_whole(std::string& line) {
    if (!line.ends_with(mark)) return false;
    line.resize(line.size() - mark.size());
    return true;
}

std::vector<std::string> whole_lines(std::string const& path) {
    std::vector<std::string> out;
    std::ifstream in(path);
    for (std::string line; std::getline(in, line);)
        if (is_whole(line)) out.push_back(line);
    return out;
}

}  // namespace minibatch::test
