#include <boost/test/unit_test.hpp>

#include "support/rig.hpp"

using namespace std::chrono_literals;
using namespace minibatch;
using namespace minibatch::test;

/// What happens while a write hangs, and after single answers were lost.
BOOST_AUTO_TEST_SUITE(slow_store)

BOOST_AUTO_TEST_SUITE_END()
