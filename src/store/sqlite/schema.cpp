#include "store/sqlite/schema.hpp"

#include <optional>
#include <string>

namespace minibatch::store::sqlite {
namespace {

constexpr std::int64_t our_application = 0x4d426368;  // "MBch"
constexpr std::int64_t our_version = 1;

// The id of a segment has the slot of its partition in the upper bits and its number in the lower 40. So one B-tree
// holds the records of each log in order, without an index. A partition of a deleted stream has the negated incarnation
// until its segments are removed. `data` is the last column, so that reading the others does not touch its pages.
constexpr char const* tables = R"(
CREATE TABLE minibatch_streams (
  name TEXT PRIMARY KEY, incarnation INTEGER NOT NULL UNIQUE, partitions INTEGER NOT NULL,
  max_age INTEGER, max_messages INTEGER, max_bytes INTEGER) WITHOUT ROWID;
CREATE TABLE minibatch_partitions (
  incarnation INTEGER NOT NULL, partition INTEGER NOT NULL, slot INTEGER NOT NULL UNIQUE,
  floor_number INTEGER NOT NULL, floor_offset INTEGER NOT NULL, floor_bytes INTEGER NOT NULL,
  cleared INTEGER NOT NULL, epoch_base INTEGER NOT NULL,
  PRIMARY KEY (incarnation, partition)) WITHOUT ROWID;
CREATE TABLE minibatch_segments (
  id INTEGER PRIMARY KEY, number INTEGER GENERATED ALWAYS AS (id & 1099511627775) VIRTUAL,
  first INTEGER NOT NULL, count INTEGER NOT NULL, created INTEGER NOT NULL,
  bytes_before INTEGER NOT NULL, bytes INTEGER NOT NULL, batch TEXT NOT NULL, data TEXT);
CREATE TABLE minibatch_groups (
  incarnation INTEGER NOT NULL, partition INTEGER NOT NULL, name TEXT NOT NULL,
  low INTEGER NOT NULL, low_number INTEGER NOT NULL, start_time INTEGER NOT NULL, windows_end INTEGER,
  takeovers INTEGER NOT NULL, lost INTEGER NOT NULL, keep INTEGER NOT NULL, details TEXT NOT NULL,
  owner TEXT NOT NULL, acquisition TEXT NOT NULL, epoch INTEGER NOT NULL, expires INTEGER NOT NULL,
  PRIMARY KEY (incarnation, partition, name)) WITHOUT ROWID;
CREATE TABLE minibatch_collections (
  id INTEGER PRIMARY KEY, collection TEXT NOT NULL, key TEXT, document TEXT NOT NULL, UNIQUE (collection, key));
CREATE VIEW minibatch_messages AS
  SELECT s.name AS stream, p.partition, g.first + j.key AS "offset", g.created, j.value AS data
  FROM minibatch_streams s
  JOIN minibatch_partitions p ON p.incarnation = s.incarnation
  JOIN minibatch_segments g ON g.id >= (p.slot << 40) + p.floor_number AND g.id < ((p.slot + 1) << 40)
  JOIN json_each(g.data) j;
)";

[[noreturn]] void refuse(connection const& db, errc value, std::string const& what) {
    throw error(value, "database '" + db.path() + "': " + what);
}

/// A trigger that another program has put on one of the tables changes what is written behind the back of everyone.
void refuse_triggers(connection& db) {
    auto query = db.prepare(
        "SELECT name, tbl_name FROM sqlite_schema WHERE type = 'trigger' AND lower(tbl_name) IN ('minibatch_streams', "
        "'minibatch_partitions', 'minibatch_segments', 'minibatch_groups', 'minibatch_collections', "
        "'minibatch_messages')");
    if (query.step())
        db.corrupt("table " + query.string(1) + " has the trigger '" + query.string(0) +
                   "', which is not minibatch's; drop it to use the database");
}

}  // namespace

void check_writable(connection const& db) {
    if (sqlite3_db_readonly(db.handle(), "main") == 1)
        refuse(db, errc::read_only, "the file cannot be written to; permissions?");
}

bool check_schema(connection& db) {
    // In one transaction: another process may be creating the tables.
    std::optional<transaction> looking;
    if (sqlite3_get_autocommit(db.handle())) looking.emplace(db, transaction::kind::read);
    auto const application = db.query_integer("PRAGMA application_id");
    auto const version = db.query_integer("PRAGMA user_version");
    if (application == our_application) {
        if (version > our_version)
            refuse(db, errc::schema_too_new,
                   "it was written by a newer minibatch (version " + std::to_string(version) +
                       " of the tables; this program knows " + std::to_string(our_version) + ")");
        if (version == our_version) {
            refuse_triggers(db);
            return false;
        }
        refuse(db, errc::corrupt, "version " + std::to_string(version) + " of the tables does not exist");
    }
    if (application != 0 || version != 0 || db.query_integer("SELECT count(*) FROM sqlite_schema") != 0)
        refuse(db, errc::not_a_database, "it is the database of another program");
    return true;
}

bool has_log(connection& db) {
    auto mode = db.prepare("PRAGMA journal_mode");
    return mode.step() && mode.text(0) == "wal";
}

void create_schema(connection& db) {
    // Segments are larger than the default page of 4096 bytes, and each page costs two system calls.
    db.execute("PRAGMA page_size = 16384");
    auto mode = db.prepare("PRAGMA journal_mode = WAL");
    if (!mode.step() || mode.text(0) != "wal")
        throw error(errc::unsupported, "database '" + db.path() +
                                           "': no write-ahead log is possible here; is the file "
                                           "on a network file system?");
    mode.run();
    transaction making(db, transaction::kind::write);
    if (!check_schema(db)) return;
    db.execute(tables);
    db.execute("PRAGMA application_id = " + std::to_string(our_application));
    db.execute("PRAGMA user_version = " + std::to_string(our_version));
    making.commit();
}

void configure(connection& db, bool synchronous_full) {
    db.execute(synchronous_full ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL");
    db.execute("PRAGMA wal_autocheckpoint = 0");
    // Truncates a log that one large transaction has made longer.
    db.execute("PRAGMA journal_size_limit = 67108864");
    // Segments are removed soon after they were written. Cached, they are written to the log only once.
    db.execute("PRAGMA cache_size = -8192");
    db.execute("PRAGMA cache_spill = OFF");
}

}  // namespace minibatch::store::sqlite
