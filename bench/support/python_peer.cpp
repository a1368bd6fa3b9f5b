#include "support/python_peer.hpp"

#include "support/other_process.hpp"

namespace bench {

double python_peer(options const& how, std::string const& script, std::vector<std::string> const& arguments) {
    require(!how.python.empty(), "--python names an interpreter that has the packages of the peers");
    std::vector<std::string> command{how.python, (std::filesystem::path(BENCH_SOURCE_DIR) / "peers" / script).string()};
    command.insert(command.end(), arguments.begin(), arguments.end());
    process peer(command);
    return std::stod(peer.output());
}

}  // namespace bench
