#pragma once

#include "bson/builder.hpp"

/// Expressions of update pipelines. Each is a function that adds itself to a document under a key.
namespace minibatch::store::mongo::expression {

/// A field of the document, written `$name`.
inline auto field(char const* name) {
    return [name](bson::builder& into, char const* key) { into.add(key, name); };
}

/// A value that is not to be taken for a field, whatever it begins with. Text must outlive the expression.
template <class Value>
auto value(Value const& literal) {
    return [literal](bson::builder& into, char const* key) {
        into.object(key, [&](bson::builder& b) { b.add("$literal", literal); });
    };
}

/// An operator with two operands.
template <class First, class Second>
auto operation(char const* name, First first, Second second) {
    return [=](bson::builder& into, char const* key) {
        into.object(key, [&](bson::builder& b) {
            b.list(name, [&](bson::builder& operands) {
                first(operands, "0");
                second(operands, "1");
            });
        });
    };
}

/// A field of the document, or `otherwise` where there is none.
template <class Value>
auto field_or(char const* name, Value const& otherwise) {
    return operation("$ifNull", field(name), value(otherwise));
}

template <class If, class Then, class Else>
auto choose(If condition, Then then, Else otherwise) {
    return [=](bson::builder& into, char const* key) {
        into.object(key, [&](bson::builder& b) {
            b.list("$cond", [&](bson::builder& three) {
                condition(three, "0");
                then(three, "1");
                otherwise(three, "2");
            });
        });
    };
}

}  // namespace minibatch::store::mongo::expression
