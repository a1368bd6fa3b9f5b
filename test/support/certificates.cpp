#include "support/certificates.hpp"

#include <fstream>
#include <iterator>
#include <stdexcept>
#include <vector>

#include "support/process.hpp"

namespace minibatch::test {
namespace {

void write(std::string const& name, std::string const& text) {
    std::ofstream file(name);
    file << text;
    if (!file.flush()) throw std::runtime_error("cannot write '" + name + "'");
}

std::vector<std::string> const new_key{"-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"};

}  // namespace

certificates::certificates() {
    make_authority("authority");
    make_authority("unknown");
    std::vector<std::string> request{"req", "-subj", "/CN=localhost", "-keyout", server_key()};
    request.insert(request.end(), new_key.begin(), new_key.end());
    request.insert(request.end(), {"-out", directory_ / "server.csr"});
    openssl(request);
    write(directory_ / "server.ext", "subjectAltName=IP:127.0.0.1,DNS:localhost\n");
    openssl({"x509", "-req", "-in", directory_ / "server.csr", "-CA", authority(), "-CAkey",
             directory_ / "authority.key", "-CAcreateserial", "-days", "2", "-extfile", directory_ / "server.ext",
             "-out", server()});
}

void certificates::make_authority(std::string const& name) const {
    // The settings of the machine's openssl.cnf are left out, which may differ.
    write(directory_ / "authority.cnf",
          "[req]\ndistinguished_name=name\nx509_extensions=authority\n[name]\n"
          "[authority]\nbasicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n"
          "subjectKeyIdentifier=hash\n");
    std::vector<std::string> words{
        "req",   "-x509", "-config", directory_ / "authority.cnf", "-subj", "/CN=minibatch test " + name,
        "-days", "2",     "-keyout", directory_ / (name + ".key"), "-out",  directory_ / (name + ".pem")};
    words.insert(words.end(), new_key.begin(), new_key.end());
    openssl(words);
}

void certificates::openssl(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), "openssl");
    auto const said = directory_ / "openssl.log";
    process command(arguments, said, said);
    if (command.ended(milliseconds(30'000)) && command.result() == 0) return;
    std::ifstream file(said);
    throw std::runtime_error(command.result() == 127
                                 ? "no certificates can be made: the program openssl is missing (Debian: openssl)"
                                 : "openssl has failed: " + std::string(std::istreambuf_iterator<char>(file), {}));
}

}  // namespace minibatch::test
