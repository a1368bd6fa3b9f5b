#include "tool/key_field.hpp"

#include <boost/json/basic_parser_impl.hpp>
#include <cstdint>
#include <limits>
#include <minibatch/document.hpp>
#include <stdexcept>

namespace minibatch::tool {
namespace {

namespace json = boost::json;

/// One step of a JSON Pointer: `~1` stands for a slash, `~0` for a tilde.
std::string unescaped(std::string_view step) {
    std::string out;
    for (std::size_t i = 0; i < step.size(); ++i) {
        if (step[i] != '~') {
            out += step[i];
            continue;
        }
        if (++i == step.size() || (step[i] != '0' && step[i] != '1'))
            throw std::invalid_argument("in a JSON Pointer '~' is written as ~0, and '/' in a name as ~1");
        out += step[i] == '0' ? '~' : '/';
    }
    return out;
}

/// The handler of boost::json::basic_parser that looks for one value. It builds nothing.
class key_finder {
  public:
    using error_code = boost::system::error_code;
    using string_view = json::string_view;
    static constexpr std::size_t max_array_size = std::numeric_limits<std::size_t>::max();
    static constexpr std::size_t max_object_size = max_array_size;
    static constexpr std::size_t max_string_size = max_array_size;
    static constexpr std::size_t max_key_size = max_array_size;

    explicit key_finder(std::vector<std::string> const& path) : path_(path) {}

    field_key found;

    bool on_document_begin(error_code&) { return true; }
    bool on_document_end(error_code&) { return true; }
    bool on_object_begin(error_code&) { return enter("an object", false); }
    bool on_object_end(std::size_t, error_code&) { return leave(); }
    bool on_array_begin(error_code&) { return enter("an array", true); }
    bool on_array_end(std::size_t, error_code&) { return leave(); }
    bool on_key_part(string_view part, std::size_t, error_code&) {
        if (watching()) name_.append(part.data(), part.size());
        return true;
    }
    bool on_key(string_view part, std::size_t, error_code&) {
        if (!watching()) return true;
        name_.append(part.data(), part.size());
        on_path_ = name_ == path_[matched_ - 1];
        if (on_path_) found = {};  // what was found under the same name before does not count
        name_.clear();
        return true;
    }
    bool on_string_part(string_view part, std::size_t, error_code&) {
        if (at_value()) text_.append(part.data(), part.size());
        return true;
    }
    bool on_string(string_view part, std::size_t total, error_code& ec) {
        on_string_part(part, total, ec);
        return value(text_);
    }
    bool on_number_part(string_view, error_code&) { return true; }
    bool on_int64(std::int64_t, string_view token, error_code&) { return value(token); }
    bool on_uint64(std::uint64_t, string_view token, error_code&) { return value(token); }
    bool on_double(double, string_view token, error_code&) { return value(token); }
    bool on_bool(bool is, error_code&) { return value(is ? "true" : "false"); }
    bool on_null(error_code&) { return value({}); }
    bool on_comment_part(string_view, error_code&) { return true; }
    bool on_comment(string_view, error_code&) { return true; }

  private:
    /// Inside the container that the path leads to so far, and not inside another one in it.
    bool watching() const { return depth_ == matched_ && matched_ > 0; }
    /// The value that is read now is the one that the whole path leads to.
    bool at_value() const { return watching() && on_path_ && matched_ == path_.size(); }

    bool enter(char const* kind, bool array) {
        if (at_value()) found = {{}, std::string("the key is ") + kind + "; a string, number or boolean can be one"};
        if (depth_ == 0 || (watching() && on_path_ && matched_ < path_.size())) {
            ++matched_;
            in_array_.push_back(array);
            index_.push_back(0);
            on_path_ = false;
            if (matched_ - 1 < path_.size() && array) on_path_ = path_[matched_ - 1] == "0";
        }
        ++depth_;
        return true;
    }
    bool leave() {
        if (depth_ == matched_) {
            --matched_;
            in_array_.pop_back();
            index_.pop_back();
        }
        --depth_;
        return next();
    }
    bool value(string_view text) {
        if (at_value()) found = {std::string(text.data(), text.size()), {}};
        text_.clear();
        return next();
    }
    /// A value is complete.
    bool next() {
        if (!watching()) return true;
        on_path_ = in_array_.back() && path_[matched_ - 1] == std::to_string(++index_.back());
        return true;
    }

    std::vector<std::string> const& path_;
    std::size_t depth_ = 0;    // of containers
    std::size_t matched_ = 0;  // how many of them the path leads through
    bool on_path_ = false;     // the next value is the one that the next step names
    std::vector<bool> in_array_;
    std::vector<std::size_t> index_;
    std::string name_;
    std::string text_;
};

}  // namespace

key_field::key_field(std::string_view text) : text_(text) {
    if (text.empty()) throw std::invalid_argument("the name of the field is empty");
    if (text.front() != '/') {
        steps_.emplace_back(text);
        return;
    }
    for (std::size_t at = 0; at != text.npos;) {
        auto const end = text.find('/', at + 1);
        steps_.push_back(unescaped(text.substr(at + 1, end == text.npos ? end : end - at - 1)));
        at = end;
    }
}

field_key key_field::read(std::string_view document) const {
    json::parse_options options;
    options.max_depth = max_document_depth;
    json::basic_parser<key_finder> parser(options, steps_);
    boost::system::error_code ignored;  // the text is a valid document
    parser.write_some(false, document.data(), document.size(), ignored);
    return std::move(parser.handler().found);
}

bool key_field::looks_like_path() const noexcept {
    return text_.front() != '/' && text_.find('.') != std::string::npos;
}

}  // namespace minibatch::tool
