#pragma once

#include <array>
#include <boost/json.hpp>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "bson/document.hpp"

namespace bson_random {

namespace json = boost::json;
using minibatch::bson::document;

/// What the random documents are made from.
class dice {
  public:
    explicit dice(std::uint64_t seed) : engine_(seed) {}

    std::size_t below(std::size_t n) { return static_cast<std::size_t>(engine_() % n); }
    std::uint64_t bits() { return engine_(); }
    std::int64_t integer() { return static_cast<std::int64_t>(engine_()) >> below(64); }
    double finite() {
        for (;;) {
            auto const random = bits();
            double value = 0;
            std::memcpy(&value, &random, sizeof value);
            if (std::isfinite(value)) return below(3) != 0 ? value : std::trunc(value);
        }
    }
    /// Valid UTF-8 with all that JSON must escape. Without a NUL when it is to be a C string.
    std::string text(bool nul = true) {
        static constexpr std::array<std::string_view, 16> pieces = {
            "a",    "Z9 ", "\"",   "\\", "\n",           "\r\t", "\x01", "\x1f",
            "\x7f", "é",   "日本", "😀", "\xe2\x80\xa8", "$",    "/~",   "plain text"};
        std::string result;
        for (auto n = below(12); n > 0; --n) result += pieces[below(pieces.size())];
        if (nul && below(20) == 0) result += '\0';
        return result;
    }
    std::string id() {
        std::string result;
        for (int i = 0; i < 24; ++i) result += "0123456789abcdef"[below(16)];
        return result;
    }

  private:
    std::mt19937_64 engine_;
};

/// Documents with all that JSON has, wrappers of Extended JSON in the form that comes back, and what looks like them.
class random_json {
  public:
    explicit random_json(std::uint64_t seed) : dice_(seed) {}

    json::value document() { return object(4); }

  private:
    json::object object(std::size_t depth) {
        json::object result;
        for (auto n = dice_.below(7); n > 0; --n) result[dice_.text(false)] = value(depth);
        return result;
    }

    json::value value(std::size_t depth) {
        switch (dice_.below(depth == 0 ? 6 : 10)) {
            case 0:
                return dice_.integer();
            case 1:
                return extreme_number();
            case 2:
                return dice_.finite();
            case 3:
                return json::value(dice_.text());
            case 4:
                return dice_.below(2) == 0;
            case 5:
                return nullptr;
            case 6: {
                json::array result;
                for (auto n = dice_.below(12); n > 0; --n) result.push_back(value(depth - 1));
                return result;
            }
            case 7:
                return wrapper();
            case 8:
                return look_alike(depth);
            default:
                return object(depth - 1);
        }
    }

    json::value extreme_number() {
        static std::vector<json::value> const numbers = {std::numeric_limits<std::int64_t>::min(),
                                                         std::numeric_limits<std::int64_t>::max(),
                                                         2147483647,
                                                         2147483648,
                                                         -2147483648,
                                                         -2147483649,
                                                         0,
                                                         0.0,
                                                         -0.0,
                                                         1.0,
                                                         5e-324,
                                                         2.2250738585072014e-308,
                                                         std::numeric_limits<double>::max(),
                                                         -std::numeric_limits<double>::max(),
                                                         1e22,
                                                         1e23,
                                                         9007199254740993.0,
                                                         0.1};
        return numbers[dice_.below(numbers.size())];
    }

    /// In the form that comes back.
    json::value wrapper() {
        switch (dice_.below(12)) {
            case 0:
                return {{"$oid", dice_.id()}};
            case 1:
                return {{"$date", "2026-11-23T18:36:46.5" + std::to_string(10 + dice_.below(90)) + "Z"}};
            case 2:
                return {{"$date", {{"$numberLong", std::to_string(-1 - std::abs(dice_.integer() / 2))}}}};
            case 3:
                return {{"$binary", {{"base64", "AAEC"}, {"subType", "80"}}}};
            case 4:
                return {{"$numberDecimal", std::to_string(dice_.integer())}};
            case 5:
                return {{"$timestamp", {{"t", dice_.bits() >> 32U}, {"i", dice_.below(100)}}}};
            case 6:
                return {{"$regularExpression", {{"pattern", dice_.text(false)}, {"options", "ix"}}}};
            case 7:
                return {{"$code", dice_.text()}};
            case 8:
                return {{"$code", dice_.text()}, {"$scope", object(1)}};
            case 9:
                return {{"$symbol", dice_.text()}};
            case 10:
                return {{"$dbPointer", {{"$ref", dice_.text()}, {"$id", {{"$oid", dice_.id()}}}}}};
            default:
                return {{"$numberDouble", dice_.below(2) == 0 ? "NaN" : "-Infinity"}};
        }
    }

    json::value look_alike(std::size_t depth) {
        static constexpr std::array<std::string_view, 12> names = {
            "$oid",    "$date",  "$binary", "$timestamp", "$regularExpression", "$scope",
            "$minKey", "$where", "$",       "$ref",       "$dbPointer",         "$numberLong"};
        json::object result;
        for (auto n = dice_.below(3) + 1; n > 0; --n) {
            auto const name = names[dice_.below(names.size())];
            result[{name.data(), name.size()}] = dice_.below(3) == 0 ? wrapper() : value(depth - 1);
        }
        return result;
    }

    dice dice_;
};

/// Documents with all types, and values whose bytes survive.
class random_bson {
  public:
    explicit random_bson(std::uint64_t seed) : dice_(seed) {}

    document make(std::size_t depth = 4) {
        document result;
        for (auto n = dice_.below(7); n > 0; --n) append(result.get(), "k" + dice_.text(false), depth);
        return result;
    }

  private:
    void append(bson_t* to, std::string const& name, std::size_t depth) {
        auto const* const key = name.c_str();
        auto const text = dice_.text();
        auto const c_text = dice_.text(false);
        bson_oid_t id;
        bson_oid_init_from_string(&id, dice_.id().c_str());
        switch (dice_.below(depth == 0 ? 17 : 20)) {
            case 0:
                BSON_APPEND_DOUBLE(to, key, dice_.finite());
                return;
            case 1:
                BSON_APPEND_DOUBLE(to, key, dice_.below(2) == 0 ? HUGE_VAL : std::numeric_limits<double>::quiet_NaN());
                return;
            case 2:
                bson_append_utf8(to, key, -1, text.data(), static_cast<int>(text.size()));
                return;
            case 3:
                append_binary(to, key);
                return;
            case 4:
                BSON_APPEND_UNDEFINED(to, key);
                return;
            case 5:
                BSON_APPEND_OID(to, key, &id);
                return;
            case 6:
                BSON_APPEND_BOOL(to, key, dice_.below(2) == 0);
                return;
            case 7:
                BSON_APPEND_DATE_TIME(to, key, dice_.integer());
                return;
            case 8:
                BSON_APPEND_NULL(to, key);
                return;
            case 9:
                BSON_APPEND_REGEX(to, key, c_text.c_str(), "imsx");
                return;
            case 10:
                BSON_APPEND_DBPOINTER(to, key, c_text.c_str(), &id);
                return;
            case 11:
                BSON_APPEND_CODE(to, key, c_text.c_str());
                return;
            case 12:
                BSON_APPEND_SYMBOL(to, key, c_text.c_str());
                return;
            case 13:
                append_number(to, key);
                return;
            case 14:
                BSON_APPEND_TIMESTAMP(to, key, static_cast<std::uint32_t>(dice_.bits()),
                                      static_cast<std::uint32_t>(dice_.bits()));
                return;
            case 15:
                append_decimal(to, key);
                return;
            case 16:
                dice_.below(2) == 0 ? BSON_APPEND_MINKEY(to, key) : BSON_APPEND_MAXKEY(to, key);
                return;
            case 17:
                BSON_APPEND_DOCUMENT(to, key, make(depth - 1).get());
                return;
            case 18:
                append_array(to, key, depth);
                return;
            default:
                BSON_APPEND_CODE_WITH_SCOPE(to, key, c_text.c_str(), make(depth - 1).get());
        }
    }

    void append_binary(bson_t* to, char const* key) {
        auto const content = dice_.text();
        auto const subtype = static_cast<bson_subtype_t>(dice_.below(256));
        bson_append_binary(to, key, -1, subtype, reinterpret_cast<std::uint8_t const*>(content.data()),
                           static_cast<std::uint32_t>(content.size()));
    }
    void append_number(bson_t* to, char const* key) {
        auto const number = dice_.integer();
        auto const narrow = static_cast<std::int32_t>(number);
        narrow == number ? BSON_APPEND_INT32(to, key, narrow) : BSON_APPEND_INT64(to, key, number);
    }
    void append_decimal(bson_t* to, char const* key) {
        bson_decimal128_t value;
        auto const text =
            std::to_string(dice_.integer()) + "E" + std::to_string(static_cast<int>(dice_.below(12000)) - 6000);
        BOOST_TEST_REQUIRE(bson_decimal128_from_string(text.c_str(), &value));
        BSON_APPEND_DECIMAL128(to, key, &value);
    }
    void append_array(bson_t* to, char const* key, std::size_t depth) {
        document array;
        auto const n = dice_.below(12);
        for (std::size_t i = 0; i < n; ++i) append(array.get(), std::to_string(i), depth - 1);
        BSON_APPEND_ARRAY(to, key, array.get());
    }

    dice dice_;
};

}  // namespace bson_random
