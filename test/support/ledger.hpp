#pragma once

#include <boost/test/unit_test.hpp>
#include <map>
#include <set>
#include <vector>

#include "support/world.hpp"

namespace minibatch::test {

/// What a test has been told about the messages of one partition and the windows of one group, and whether that can be
/// true: nothing acknowledged is lost or committed twice, windows are disjoint, in order and without gaps.
class ledger {
  public:
    /// Ordered: one window is in flight at a time.
    explicit ledger(bool ordered = true) : ordered_(ordered) {}

    /// The next value that was not used yet.
    std::int64_t fresh() { return next_value_++; }

    void appended(std::int64_t first, std::vector<std::int64_t> const& values) {
        for (auto const value : values) {
            BOOST_CHECK_MESSAGE(acknowledged_.emplace(first, value).second, "offset " << first << " was given twice");
            ++first;
        }
    }
    /// A producer's documents, of which only the order is known.
    void appended_somewhere(std::int64_t value) { expected_.insert(value); }
    /// May be stored, as a whole, or not.
    void in_doubt(std::vector<std::int64_t> const& values) { doubtful_.push_back(values); }

    void committed(window const& of) {
        note(of);
        if (of.empty()) return;
        BOOST_CHECK_MESSAGE(!ordered_ || *of.first() >= end_,
                            "window " << of.id() << " was committed after offset " << end_);
        for (auto const& message : of.messages()) {
            auto const again = !committed_.insert(message.offset()).second;
            BOOST_CHECK_MESSAGE(!again, "offset " << message.offset() << " was committed twice");
        }
        end_ = std::max(end_, *of.last() + 1);
    }
    /// It is not known whether the window was committed; if not, it comes again.
    void commit_in_doubt(window const& of) {
        note(of);
        for (auto const& message : of.messages()) maybe_.insert(message.offset());
    }

    /// At the end: all messages below `end` were committed, and are what was appended.
    void check(std::int64_t end) const {
        std::set<std::int64_t> found;
        for (std::int64_t offset = 0; offset < end; ++offset) {
            auto const known = committed_.contains(offset) || maybe_.contains(offset);
            BOOST_CHECK_MESSAGE(known, "offset " << offset << " of " << end << " was never committed");
            auto const value = delivered_.find(offset);
            if (value == delivered_.end()) continue;
            BOOST_CHECK_MESSAGE(found.insert(value->second).second, "value " << value->second << " is there twice");
        }
        for (auto const& [offset, value] : acknowledged_) {
            auto const at = delivered_.find(offset);
            BOOST_CHECK_MESSAGE(at != delivered_.end() && at->second == value,
                                "value " << value << " is not at its offset " << offset);
        }
        for (auto const value : expected_)
            BOOST_CHECK_MESSAGE(found.contains(value), "value " << value << " is missing");
        std::size_t known = acknowledged_.size() + expected_.size();
        for (auto const& values : doubtful_) {
            std::size_t there = 0;
            for (auto const value : values) there += found.count(value);
            BOOST_CHECK_MESSAGE(there == 0 || there == values.size(), "a batch in doubt is there in part");
            known += there;
        }
        BOOST_CHECK_MESSAGE(found.size() == known, found.size() << " messages, of which " << known << " are known");
    }

  private:
    void note(window const& of) {
        auto const held = values(of);
        for (std::size_t i = 0; i < held.size(); ++i) {
            auto const offset = of.messages()[i].offset();
            auto const [at, added] = delivered_.emplace(offset, held[i]);
            BOOST_CHECK_MESSAGE(at->second == held[i], "offset " << offset << " has changed");
            if (i > 0) BOOST_CHECK_MESSAGE(offset == of.messages()[i - 1].offset() + 1, "a gap in " << of.id());
        }
    }

    bool ordered_;
    std::int64_t next_value_ = 0;
    std::int64_t end_ = 0;  // of what was committed
    std::map<std::int64_t, std::int64_t> acknowledged_;
    std::set<std::int64_t> expected_;
    std::vector<std::vector<std::int64_t>> doubtful_;
    std::map<std::int64_t, std::int64_t> delivered_;
    std::set<std::int64_t> committed_;
    std::set<std::int64_t> maybe_;
};

}  // namespace minibatch::test
