#pragma once

#include <string>
#include <vector>

#include "support/temporary_directory.hpp"

namespace minibatch::test {

/// Certificates for tests of TLS, made anew with the command `openssl` (about 50 ms) and removed with this object. PEM
/// files; the keys are not encrypted. The constructor throws std::runtime_error with what openssl said.
class certificates {
  public:
    certificates();

    /// The authority that has signed `server`.
    std::string authority() const { return directory_ / "authority.pem"; }
    /// An authority that has signed nothing.
    std::string unknown_authority() const { return directory_ / "unknown.pem"; }
    /// For 127.0.0.1 and localhost.
    std::string server() const { return directory_ / "server.pem"; }
    std::string server_key() const { return directory_ / "server.key"; }

  private:
    void openssl(std::vector<std::string> arguments) const;
    void make_authority(std::string const& name) const;

    temporary_directory directory_;
};

}  // namespace minibatch::test
