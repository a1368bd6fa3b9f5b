#pragma once

#include "../../test/support/temporary_directory.hpp"

namespace bench {

/// The tests' directory, made where the benchmarks were told to, with a database in it.
class temporary_directory : public minibatch::test::temporary_directory {
  public:
    using minibatch::test::temporary_directory::temporary_directory;

    std::string database() const { return *this / "bench.db"; }
    std::string url() const { return "sqlite:" + database(); }
};

}  // namespace bench
