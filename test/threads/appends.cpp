// Appends from eight threads: each is stored once if it says so, and never if it says that it had no effect.

#include <boost/json/serialize.hpp>

#include "threads/support.hpp"

using namespace minibatch;
using namespace minibatch::test;

BOOST_AUTO_TEST_SUITE(appends)
namespace {

/// The documents of the i-th call, in every form that `append` takes.
asio::awaitable<position> append(stream& to, int i) {
    auto const first = std::int64_t{10} * i;
    std::vector<boost::json::value> const three{reading(first), reading(first + 1), reading(first + 2)};
    std::vector<std::string> const texts{boost::json::serialize(three[0]), boost::json::serialize(three[1])};
    auto const key = std::to_string(i);
    switch (i % 6) {
        case 0:
            return to.append(three[0]);
        case 1:
            return to.append(three[0], append_options{.key = key});
        case 2:
            return to.append(three);
        case 3:
            return to.append_json(texts[0]);
        case 4:
            return to.append_json(texts);
        default:
            return to.append_encoded({encode_document(three[0])});
    }
}
int documents_in(int i) { return i % 6 == 2 ? 3 : i % 6 == 4 ? 2 : 1; }

struct fate {
    error_code code;
    position where;
};

void check(std::vector<message> const& stored, std::vector<fate> const& fates) {
    std::map<int, std::vector<message>> by_call;
    std::set<std::int64_t> seen;
    for (auto const& each : stored) {
        BOOST_TEST(seen.insert(value_of(each)).second);
        by_call[static_cast<int>(value_of(each) / 10)].push_back(each);
    }
    for (int i = 0; i < static_cast<int>(fates.size()); ++i) {
        auto const& [code, where] = fates[static_cast<std::size_t>(i)];
        auto const& found = by_call[i];
        auto const whole = static_cast<std::size_t>(documents_in(i));
        BOOST_TEST((found.empty() || found.size() == whole));
        if (code == asio::error::operation_aborted) BOOST_TEST(found.empty());
        if (code) continue;
        BOOST_REQUIRE(found.size() == whole);
        for (std::size_t k = 0; k < whole; ++k) {
            BOOST_TEST(found[k].partition() == where.partition);
            BOOST_TEST(found[k].offset() == where.offset + static_cast<std::int64_t>(k));
        }
    }
}

}  // namespace

BOOST_AUTO_TEST_CASE(every_form) {
    for_every_calling([](std::string const& url, callers& from, calling how) {
        auto const db = wait_for(from, connect(url));
        auto to = wait_for(from, stream::get_or_create(db, "s" + std::to_string(static_cast<int>(how)),
                                                       stream_options{.partitions = 2}));
        std::vector<fate> fates(how == calling::with_slot ? 3'000 : 600);
        from.each(
            static_cast<int>(fates.size()), how, [&](int i) { return append(to, i); },
            [&](int i, error_code code, std::optional<position> where) {
                BOOST_TEST((!code || by_cancellation(code, how)), code.message());
                fates[static_cast<std::size_t>(i)] = {code, where.value_or(position())};
            });
        check(all_of(from, to), fates);
    });
}

BOOST_AUTO_TEST_CASE(of_a_producer) {
    for_every_calling([](std::string const& url, callers& from, calling how) {
        auto const db = wait_for(from, connect(url));
        auto to = wait_for(from, stream::get_or_create(db, "p" + std::to_string(static_cast<int>(how))));
        // Small, so that appends wait for room.
        producer_options const options{.batch_size = 5, .linger = milliseconds(1), .max_pending_bytes = 200};
        auto writer = to.make_producer(options);
        std::set<std::int64_t> expected;
        from.each(
            1'000, how,
            [&](int i) {
                if (i % 10 == 0) return writer.flush();
                auto const document = reading(i);
                return i % 2 == 0 ? writer.append(document) : writer.append_json(boost::json::serialize(document));
            },
            [&](int i, error_code code, std::optional<std::monostate>) {
                BOOST_TEST((!code || (how == calling::cancelled && code == asio::error::operation_aborted)),
                           code.message());
                if (!code && i % 10 != 0) expected.insert(i);
            });
        wait_for(from, writer.flush());
        std::set<std::int64_t> found;
        for (auto const& each : all_of(from, to)) BOOST_TEST(found.insert(value_of(each)).second);
        BOOST_TEST((found == expected));
    });
}

BOOST_AUTO_TEST_SUITE_END()
