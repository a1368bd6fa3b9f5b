#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <vector>

namespace minibatch::test {

/// One thing that happened to the files of a directory.
struct disk_event {
    enum class kind { write, truncate, sync, failed_sync, create, remove, directory_sync, failed_directory_sync };
    kind what = kind::write;
    std::string name;         // create and remove: of the file
    int file = 0;             // the others: the number that `create` returned
    std::int64_t offset = 0;  // write; of truncate: the new size
    std::shared_ptr<std::string const> bytes = {};
};

/// What survives a power cut of that which was not synced. A write reaches the disk in sectors of 512 bytes.
enum class survival {
    synced_only,  // nothing
    all,          // everything that was written
    not_failed,   // everything but what was written before a failed sync: the kernel has dropped it
    some,         // any of it, also torn writes, and any part of what was written before a failed sync
};

/// Records what happens to the files of one directory, and makes the directory that a power cut leaves behind. Files
/// are durable when they have been synced, their names when the directory has been.
class disk {
  public:
    explicit disk(std::filesystem::path root) : root_(std::move(root)) {}

    std::filesystem::path const& root() const noexcept { return root_; }
    /// The number of events so far. Thread-safe, as `record`.
    std::size_t size() const;
    /// For `create`: the number of the file.
    int record(disk_event event);
    /// The number of the file that has this name now.
    int number_of(std::string_view name) const;

    /// Fills an empty directory with what is found after a power cut behind the first `cut` events.
    void after_power_cut(std::size_t cut, survival what, std::mt19937& random, std::filesystem::path const& into) const;

  private:
    std::filesystem::path root_;
    mutable std::mutex mutex_;
    std::vector<disk_event> events_;
    int files_ = 0;
};

}  // namespace minibatch::test
