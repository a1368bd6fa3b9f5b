#pragma once

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <cstdint>
#include <string>

namespace bench {

/// Documents of about 100 bytes, numbered, the same for all contestants. Making the next one costs next to nothing.
class documents {
  public:
    boost::json::value const& operator[](std::int64_t number) {
        number_ = number;
        value_ = static_cast<double>(number & 1023) + 0.25;
        return document_;
    }
    std::string text(std::int64_t number) { return boost::json::serialize((*this)[number]); }

  private:
    static boost::json::object first() {
        return {{"n", 0},
                {"sensor", "hall-7/thermo-0417"},
                {"time", 1760000000000},
                {"value", 0.25},
                {"unit", "celsius"},
                {"ok", true}};
    }
    boost::json::value document_ = first();  // not in braces, which would make an array of it
    boost::json::value& number_ = document_.as_object().at("n");
    boost::json::value& value_ = document_.as_object().at("value");
};

/// What a consumer does with each document: looks at what is in it.
inline double visit(boost::json::value const& document) {
    auto const& fields = document.as_object();
    return fields.at("value").as_double() + (fields.at("ok").as_bool() ? 1 : 0);
}
inline std::int64_t number_of(boost::json::value const& document) { return document.as_object().at("n").as_int64(); }

}  // namespace bench
