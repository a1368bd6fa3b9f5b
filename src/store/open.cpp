#include "store/open.hpp"

#include "store/memory/memory_store.hpp"
#include "store/read_only_store.hpp"
#include "store/sqlite/sqlite_store.hpp"
#ifdef MINIBATCH_WITH_MONGODB
#include "store/mongo/mongo_store.hpp"
#endif

namespace minibatch::store {

std::shared_ptr<store> open_store(std::string const& url, open_options const& options) {
    auto const parts = parse_url(url);
    auto const limited = [&](std::shared_ptr<store> opened) {
        return options.read_only ? make_read_only(std::move(opened), redact(url)) : opened;
    };
    if (parts.scheme == "memory") return limited(open_memory(parts.path, options));
    if (parts.scheme == "sqlite") {
        bool full = true;
        for (auto const& [name, value] : parts.parameters) full = full && !(name == "synchronous" && value == "normal");
        return open_sqlite(parts.path, full, options);
    }
#ifdef MINIBATCH_WITH_MONGODB
    return limited(open_mongo(url, options));
#else
    throw error(errc::unsupported, "'" + redact(url) + "': this build of minibatch has no MongoDB");
#endif
}

}  // namespace minibatch::store
