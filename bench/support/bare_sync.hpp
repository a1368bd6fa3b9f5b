#pragma once

#include <filesystem>
#include <vector>

namespace bench {

/// The least that a durable write costs: 16 KB, the page size of minibatch's databases, written over what is there and
/// synced with fdatasync.
class bare_sync {
  public:
    /// Makes a file in this directory, at its full length.
    explicit bare_sync(std::filesystem::path const& directory);
    ~bare_sync();
    bare_sync(bare_sync const&) = delete;
    bare_sync& operator=(bare_sync const&) = delete;

    /// Writes one after another for so long; how long each took, in milliseconds.
    std::vector<double> overwrite(double seconds);

  private:
    int file_ = -1;
    int next_ = 0;
    std::vector<char> page_;
};

}  // namespace bench
