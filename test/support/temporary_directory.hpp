#pragma once

#include <stdlib.h>

#include <filesystem>
#include <stdexcept>
#include <string>

namespace minibatch::test {

/// An empty directory, removed with all that is in it. The benchmarks use it, too.
class temporary_directory {
  public:
    explicit temporary_directory(std::filesystem::path const& parent = std::filesystem::temp_directory_path()) {
        auto name = (parent / "minibatch-XXXXXX").string();
        if (!::mkdtemp(name.data())) throw std::runtime_error("no directory can be made in " + parent.string());
        path_ = name;
    }
    ~temporary_directory() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    temporary_directory(temporary_directory const&) = delete;
    temporary_directory& operator=(temporary_directory const&) = delete;

    std::filesystem::path const& path() const noexcept { return path_; }
    std::string operator/(std::string const& name) const { return (path_ / name).string(); }

  private:
    std::filesystem::path path_;
};

}  // namespace minibatch::test
