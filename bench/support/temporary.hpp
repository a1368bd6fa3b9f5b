#pragma once

#include <stdlib.h>

#include <filesystem>
#include <stdexcept>
#include <string>

namespace bench {

/// A directory that is removed with everything in it.
class temporary_directory {
  public:
    explicit temporary_directory(std::filesystem::path const& parent) {
        auto pattern = (parent / "XXXXXX").string();
        if (mkdtemp(pattern.data()) == nullptr)
            throw std::runtime_error("no directory can be made in " + parent.string());
        path_ = pattern;
    }
    ~temporary_directory() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    temporary_directory(temporary_directory const&) = delete;
    temporary_directory& operator=(temporary_directory const&) = delete;

    std::filesystem::path const& path() const noexcept { return path_; }
    std::string database() const { return (path_ / "bench.db").string(); }
    std::string url() const { return "sqlite:" + database(); }

  private:
    std::filesystem::path path_;
};

}  // namespace bench
