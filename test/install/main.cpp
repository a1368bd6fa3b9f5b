// The program that the three consumer projects build and run.
#include <iostream>
#include <minibatch/document.hpp>
#include <minibatch/error.hpp>

int main() {
    auto const encoded = minibatch::encode_document({{"a", 1}});
    if (encoded.text != R"({"a":1})") return 1;
    std::cout << minibatch::make_error_code(minibatch::errc::stream_not_found).message() << '\n';
    return std::cout.flush() ? 0 : 1;
}
