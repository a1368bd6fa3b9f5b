#include "store/open.hpp"

#include "store/memory/memory_store.hpp"
#include "store/sqlite/sqlite_store.hpp"
#ifdef MINIBATCH_WITH_MONGODB
#include "store/mongo/mongo_store.hpp"
#endif

namespace minibatch::store {

std::shared_ptr<store> open_store(std::string const& url, open_options const& options) {
    auto const parts = parse_url(url);
    if (parts.scheme == "memory") return open_memory(parts.path, options);
    if (parts.scheme == "sqlite") {
        bool full = true;
        for (auto const& [name, value] : parts.parameters) full = full && !(name == "synchronous" && value == "normal");
        return open_sqlite(parts.path, full, options);
    }
#ifdef MINIBATCH_WITH_MONGODB
    return open_mongo(url, options);
#else
    throw error(errc::unsupported, "'" + redact(url) + "': this build of minibatch has no MongoDB");
#endif
}

}  // namespace minibatch::store
