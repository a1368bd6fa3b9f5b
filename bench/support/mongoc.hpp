#pragma once

#include <mongoc/mongoc.h>

#include <memory>
#include <stdexcept>
#include <string>

/// Owners for what the MongoDB C driver gives out.
namespace bench {

template <auto Free>
struct freed {
    template <class Type>
    void operator()(Type* object) const {
        Free(object);
    }
};
using client_ptr = std::unique_ptr<mongoc_client_t, freed<mongoc_client_destroy>>;
using collection_ptr = std::unique_ptr<mongoc_collection_t, freed<mongoc_collection_destroy>>;
using cursor_ptr = std::unique_ptr<mongoc_cursor_t, freed<mongoc_cursor_destroy>>;

/// A BSON document, freed at the end.
class bson_value {
  public:
    bson_value() { bson_init(&raw_); }
    ~bson_value() { bson_destroy(&raw_); }
    bson_value(bson_value const&) = delete;
    bson_value& operator=(bson_value const&) = delete;
    bson_t* get() { return &raw_; }

  private:
    bson_t raw_;
};

inline void require_done(bool good, bson_error_t const& why, std::string const& what) {
    if (!good) throw std::runtime_error(what + ": " + why.message);
}

/// A collection of the database that the URL names, over a connection of its own.
struct mongo_collection {
    mongo_collection(std::string const& url, char const* name) {
        static bool const ready = (mongoc_init(), true);
        static_cast<void>(ready);
        bson_error_t why{};
        std::unique_ptr<mongoc_uri_t, freed<mongoc_uri_destroy>> const uri(
            mongoc_uri_new_with_error(url.c_str(), &why));
        require_done(uri != nullptr, why, "the URL of the database");
        client.reset(mongoc_client_new_from_uri_with_error(uri.get(), &why));
        require_done(client != nullptr, why, "the database");
        mongoc_client_set_error_api(client.get(), MONGOC_ERROR_API_VERSION_2);
        collection.reset(mongoc_client_get_collection(client.get(), mongoc_uri_get_database(uri.get()), name));
    }
    mongoc_collection_t* get() const { return collection.get(); }

    client_ptr client;
    collection_ptr collection;
};

}  // namespace bench
