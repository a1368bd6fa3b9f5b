// Starts a process, writes its id to the file `pid` in the directory that is named, and ends without ending it.
#include <unistd.h>

#include <fstream>
#include <string>

#include "support/process.hpp"

int main(int, char** arguments) {
    std::string const directory = arguments[1];
    minibatch::test::process const sleeper({"sleep", "60"}, directory + "/err");
    std::ofstream(directory + "/pid") << sleeper.id() << std::flush;
    ::_exit(0);
}
