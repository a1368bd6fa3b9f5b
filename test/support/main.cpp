#define BOOST_TEST_MODULE minibatch
#include <boost/test/unit_test.hpp>
