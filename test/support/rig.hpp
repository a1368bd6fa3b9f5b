#pragma once

#include "support/failing_store.hpp"
#include "support/remote_store.hpp"
#include "support/world.hpp"

namespace minibatch::test {

using next = started<std::optional<window>>;

/// A world with a database that can fail, one stream in it, and short words for what tests do with it.
struct rig : world {
    enum class place {
        here,
        far,  // the database is used as a remote_store, which is then there, too
    };
    explicit rig(stream_options const& options = {}, std::size_t pending_bytes = std::size_t{64} << 20,
                 place at = place::here)
        : remote(at == place::far ? std::make_shared<remote_store>(store) : nullptr),
          faulty(std::make_shared<failing_store>(remote ? remote : store)) {
        max_pending_bytes = pending_bytes;
        db = open(faulty);
        readings = finish(stream::get_or_create(db, "readings", options));
        log.incarnation = store->find_stream("readings", time->now())->incarnation;
    }
    explicit rig(place at) : rig({}, std::size_t{64} << 20, at) {}

    std::int64_t append(std::int64_t value) {
        auto const document = reading(value);
        return finish(readings.append(document)).offset;
    }
    consumer consume(strategy const& how, consumer_options const& options = {}) {
        auto made = finish(readings.consume(how, options));
        settle();
        return made;
    }
    /// A second handle, as another process would have it, on the same content.
    stream elsewhere() {
        auto const other = open(memory(name));
        return finish(other.find_stream("readings"));
    }
    std::int64_t stored() const { return store->state(log, time->now()).end.offset; }
    store::group_state group() const { return store->list_groups(log.incarnation, time->now()).at(0); }
    bool was_logged(std::string_view part) const {
        for (auto const& line : *logged)
            if (line.find(part) != std::string::npos) return true;
        return false;
    }

    std::string const name = unique_name();
    std::shared_ptr<minibatch::store::store> const store = memory(name);
    std::shared_ptr<remote_store> const remote;
    std::shared_ptr<failing_store> const faulty;
    database db;
    stream readings;
    minibatch::store::log_id log;

  private:
    static std::string unique_name() {
        static int count = 0;
        return "rig" + std::to_string(++count);
    }
};

/// The same with a database that is far away. Other handles on it are not counted.
struct remote_rig : rig {
    explicit remote_rig(stream_options const& options = {}) : rig(options, std::size_t{64} << 20, place::far) {}
};

}  // namespace minibatch::test
