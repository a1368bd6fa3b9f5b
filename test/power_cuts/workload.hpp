#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "power_cuts/disk.hpp"
#include "store/open.hpp"
#include "support/fake_clock.hpp"

namespace minibatch::test {

/// One thing that was asked of the store, and what it answered.
struct operation {
    enum class kind { append, commit };
    enum class outcome {
        pending,  // no answer yet
        done,
        refused,  // certainly not stored
        unknown,
    };
    kind what = kind::append;
    int number = 0;         // from 1, in the order in which they were asked for; its documents hold it
    std::size_t begun = 0;  // events of the disk at that time
    std::size_t ended = 0;
    outcome result = outcome::pending;
    std::string problem;     // with which it ended
    int messages = 0;        // append
    std::int64_t first = 0;  // append that is done: the offset
    std::int64_t low = 0;    // commit: all below is committed
};

/// A program that appends to a stream and commits what it has appended, one thing after another, and keeps account of
/// the answers. After a failure it goes on.
class workload {
  public:
    using decorator = std::function<std::shared_ptr<store::store>(std::shared_ptr<store::store>)>;

    /// `parameters` of the URL, as "?synchronous=normal". `decorate` stands between the program and its store.
    workload(disk const& on, std::string parameters = {}, decorator decorate = {});

    void append(int messages = 1, std::size_t bytes = 10);
    /// Several appends and a commit in one call. The first job is one that changes nothing: the append before,
    /// repeated.
    void append_together(int jobs);
    /// Of the next segment that is not committed, together with an insertion into a collection.
    void commit();
    void trim();
    void seal();
    void maintain();
    /// Moves the log into the database file, as another program would.
    void checkpoint(int mode);
    void close();
    /// The program is killed; the next call is by another one.
    void kill();

    std::vector<operation> const& operations() const { return operations_; }
    int count(operation::outcome result) const;
    /// Why nothing could be asked for, if that was so at last.
    std::string const& obstacle() const { return obstacle_; }
    static std::string database_name() { return "a.db"; }

  private:
    bool ready();
    operation& begin(operation::kind what);
    void end(operation& which, store::write_result const& result);
    std::vector<store::write_result> write(std::vector<store::write_request> requests);
    store::append_request segment(operation const& of, std::size_t bytes);
    void note(operation const& appended, store::write_result const& result);
    store::commit_request next_commit(operation& of);

    struct record {
        std::int64_t number = 0;
        std::int64_t end = 0;  // offset
    };

    disk const& disk_;
    std::string parameters_;
    decorator decorate_;
    std::shared_ptr<fake_clock> time_ = std::make_shared<fake_clock>();
    std::shared_ptr<store::store> store_;
    std::optional<store::log_id> log_;
    std::optional<store::acquire_result> lease_;
    std::vector<operation> operations_;
    std::vector<record> appended_;               // and acknowledged
    std::size_t committed_ = 0;                  // of them, or given up
    std::optional<store::append_request> last_;  // if it is stored, as the last record
    int lives_ = 0;
    std::string obstacle_;
};

}  // namespace minibatch::test
