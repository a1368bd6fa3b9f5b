#include "support/mongo_command.hpp"

#include <mongoc/mongoc.h>

#include <memory>
#include <stdexcept>

namespace minibatch::test {
namespace {

template <auto Free>
struct freed {
    template <class Type>
    void operator()(Type* object) const {
        Free(object);
    }
};

/// The driver wants this once, before anything else; more than once does nothing.
void prepare_driver() {
    static bool const done = (mongoc_init(), true);
    (void)done;
}

std::string run(std::string const& url, std::string const& command, char const* database) {
    prepare_driver();
    bson_error_t why{};
    std::unique_ptr<mongoc_uri_t, freed<mongoc_uri_destroy>> const uri(mongoc_uri_new_with_error(url.c_str(), &why));
    if (!uri) throw std::runtime_error(std::string("mongo_command: ") + why.message);
    for (auto const* limit : {MONGOC_URI_SERVERSELECTIONTIMEOUTMS, MONGOC_URI_SOCKETTIMEOUTMS})
        if (!mongoc_uri_has_option(uri.get(), limit)) mongoc_uri_set_option_as_int32(uri.get(), limit, 10'000);
    std::unique_ptr<mongoc_client_t, freed<mongoc_client_destroy>> const client(
        mongoc_client_new_from_uri_with_error(uri.get(), &why));
    if (!client) throw std::runtime_error(std::string("mongo_command: ") + why.message);
    // Errors in the form of today's drivers.
    mongoc_client_set_error_api(client.get(), MONGOC_ERROR_API_VERSION_2);
    auto* const words = bson_new_from_json(reinterpret_cast<std::uint8_t const*>(command.data()), -1, &why);
    if (!words) throw std::runtime_error(std::string("mongo_command: not JSON: ") + why.message);
    if (!database) database = mongoc_uri_get_database(uri.get());
    bson_t reply;
    // As a write command, so that write errors and write concern errors in the answer are errors.
    auto const good = mongoc_client_write_command_with_opts(client.get(), database ? database : "admin", words, nullptr,
                                                            &reply, &why);
    bson_destroy(words);
    std::unique_ptr<char, freed<bson_free>> const text(bson_as_relaxed_extended_json(&reply, nullptr));
    bson_destroy(&reply);
    if (!good)
        throw std::runtime_error("mongo_command " + command.substr(0, 200) + ": " + why.message +
                                 "; answer: " + (text ? text.get() : ""));
    return text.get();
}

}  // namespace

std::string mongo_command(std::string const& url, std::string const& command) { return run(url, command, nullptr); }

std::string mongo_admin_command(std::string const& url, std::string const& command) {
    return run(url, command, "admin");
}

}  // namespace minibatch::test
