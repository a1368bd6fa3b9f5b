#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "store/sqlite/connection.hpp"
#include "store/sqlite/open_files.hpp"

namespace minibatch::store::sqlite {

/// Connections for reading, each lent to one thread at a time and opened at first use.
class reader_pool {
  public:
    reader_pool(open_files& files, connection::opening how, int size)
        : files_(files), how_(how), size_(size < 1 ? 1 : size) {}

    /// A connection on loan. Waits until one is free; errc::timeout after the deadline.
    class loan {
      public:
        loan(reader_pool& pool, char const* operation, steady_time deadline);
        ~loan();
        loan(loan const&) = delete;
        loan& operator=(loan const&) = delete;
        connection& operator*() const noexcept { return *connection_; }

      private:
        reader_pool& pool_;
        std::unique_ptr<connection> connection_;
    };

  private:
    std::unique_ptr<connection> open(char const* operation, steady_time deadline);

    open_files& files_;
    connection::opening how_;
    int size_;
    int lent_ = 0;
    std::mutex mutex_;
    std::condition_variable returned_;
    std::vector<std::unique_ptr<connection>> idle_;
};

}  // namespace minibatch::store::sqlite
