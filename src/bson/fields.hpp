#pragma once

#include <bson/bson.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace minibatch::bson {

/// Reads fields of a document that somebody else owns and that outlives the fields. A field of another type than asked
/// for, one that is missing and one out of range are errc::corrupt. The error names the field, `what`, and the `_id` of
/// the document if that is text.
class fields {
  public:
    fields(bson_t const& from, std::string what);
    // The driver's structure points into itself.
    fields(fields const& other) : fields(other.from_, other.what_) {}
    fields& operator=(fields const& other);

    bool has(char const* key) const;
    /// int32, int64, or a double without a fraction, as shells write numbers.
    std::int64_t integer(char const* key) const;
    std::optional<std::int64_t> integer_if(char const* key) const;
    /// In [least, most].
    std::int64_t integer(char const* key, std::int64_t least, std::int64_t most) const;
    std::string text(char const* key) const;
    std::optional<std::string> text_if(char const* key) const;
    bool boolean(char const* key) const;
    /// Milliseconds since the Unix epoch.
    std::int64_t date(char const* key) const;
    /// Views into this document; valid as long as that.
    fields object(char const* key) const;
    std::optional<fields> object_if(char const* key) const;
    std::optional<fields> array_if(char const* key) const;
    /// Where a field is. A structure, since as an argument of a template the driver's type would lose its alignment.
    struct position {
        bson_iter_t at;
    };
    std::optional<position> find(char const* key) const;
    /// Calls `each(fields)` for the documents of an array.
    template <class Each>
    void each_object(char const* key, Each const& each) const {
        auto const list = array(key);
        bson_iter_t at;
        if (!bson_iter_init(&at, &list.from_)) damaged(key, "is not an array");
        while (bson_iter_next(&at)) each(inner(at, key));
    }

    bson_t const& raw() const noexcept { return from_; }
    [[noreturn]] void damaged(std::string_view key, std::string_view problem) const;
    /// The same of the document as a whole.
    [[noreturn]] void damaged(std::string_view problem) const;

  private:
    fields array(char const* key) const;
    fields inner(bson_iter_t const& at, char const* key) const;

    bson_t from_;  // a view, whatever the original is
    std::string what_;
};

}  // namespace minibatch::bson
