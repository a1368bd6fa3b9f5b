#include "tool/line_reader.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <thread>

#include "tool/input_format.hpp"

BOOST_AUTO_TEST_SUITE(tool_line_reader)

namespace {

using minibatch::tool::input_line;
using minibatch::tool::line_place;
using minibatch::tool::line_reader;
using minibatch::tool::wrong_format;
using status = line_reader::status;
using namespace std::chrono_literals;

class temporary_directory {
  public:
    temporary_directory() {
        std::string pattern = (std::filesystem::temp_directory_path() / "line-reader-XXXXXX").string();
        path_ = ::mkdtemp(pattern.data());
    }
    ~temporary_directory() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    temporary_directory(temporary_directory const&) = delete;
    temporary_directory& operator=(temporary_directory const&) = delete;

    std::string path(std::string const& name) const { return (path_ / name).string(); }
    std::string file(std::string const& name, std::string const& content) const {
        std::ofstream(path(name), std::ios::binary) << content;
        return path(name);
    }

  private:
    std::filesystem::path path_;
};

/// A pipe in place of standard input.
class piped_input {
  public:
    piped_input() {
        int ends[2];
        BOOST_REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
        saved_ = ::dup(STDIN_FILENO);
        ::dup2(ends[0], STDIN_FILENO);
        ::close(ends[0]);
        write_end_ = ends[1];
    }
    ~piped_input() {
        close();
        if (saved_ >= 0) {
            ::dup2(saved_, STDIN_FILENO);
            ::close(saved_);
        }
    }
    piped_input(piped_input const&) = delete;
    piped_input& operator=(piped_input const&) = delete;

    void write(std::string_view text) const {
        // Not a check of the framework, which is for one thread alone.
        if (::write(write_end_, text.data(), text.size()) != static_cast<ssize_t>(text.size()))
            throw std::runtime_error("writing to the pipe failed");
    }
    void close() {
        if (write_end_ >= 0) ::close(write_end_);
        write_end_ = -1;
    }

  private:
    int saved_ = -1;
    int write_end_ = -1;
};

/// The thread that makes this, which is about to read. Others can wait until it has found nothing and sleeps.
class this_thread {
  public:
    void wait_until_asleep() const {
        while (state() != 'S') std::this_thread::yield();
    }

  private:
    char state() const {
        std::ifstream file("/proc/self/task/" + std::to_string(id_) + "/stat");
        std::string text;
        std::getline(file, text);
        auto const name_end = text.rfind(") ");  // the name of the program may hold anything
        return name_end == std::string::npos ? '?' : text[name_end + 2];
    }

    pid_t const id_ = ::gettid();
};

std::vector<input_line> read_all(line_reader& reader) {
    std::vector<input_line> all;
    std::vector<input_line> lines;
    while (reader.read(lines) == status::lines) {
        BOOST_TEST(!lines.empty());
        all.insert(all.end(), lines.begin(), lines.end());
    }
    return all;
}

BOOST_AUTO_TEST_CASE(lines_of_several_files_are_numbered_in_each) {
    temporary_directory const directory;
    auto const a = directory.file("a", "one\ntwo\r\n\nfour");
    auto const empty = directory.file("empty", "");
    auto const b = directory.file("b", "five\n");
    line_reader reader({a, empty, b});
    auto const lines = read_all(reader);
    BOOST_TEST_REQUIRE(lines.size() == 5U);
    std::vector<std::string> const texts = {"one", "two\r", "", "four", "five"};
    for (std::size_t i = 0; i < lines.size(); ++i) {
        BOOST_TEST(lines[i].text == texts[i]);
        BOOST_TEST(lines[i].file == (i < 4 ? a : b));
        BOOST_TEST(lines[i].number == (i < 4 ? i + 1 : 1U));
        BOOST_TEST(!lines[i].too_large);
    }
    std::vector<input_line> none;
    BOOST_TEST((reader.read(none) == status::end));
    BOOST_TEST(none.empty());
}

BOOST_AUTO_TEST_CASE(a_line_may_be_longer_than_a_block) {
    temporary_directory const directory;
    std::string const longer(700'000, 'x');
    line_reader reader({directory.file("f", "a\n" + longer + "\nb\n" + longer)});
    auto const lines = read_all(reader);
    BOOST_TEST_REQUIRE(lines.size() == 4U);
    BOOST_TEST((lines[1].text == longer));
    BOOST_TEST(lines[2].text == "b");
    BOOST_TEST((lines[3].text == longer));
}

BOOST_AUTO_TEST_CASE(a_line_that_is_too_large_is_reported_once_and_skipped) {
    temporary_directory const directory;
    std::string const limit(1000, 'x');
    std::string const huge(600'000, 'y');
    for (auto const& large : {limit + "x", huge}) {
        line_reader reader(
            {directory.file("f", limit + "\n" + large + "\nafter\n" + large), directory.file("g", "next\n")}, 1000);
        auto const lines = read_all(reader);
        BOOST_TEST_REQUIRE(lines.size() == 5U);
        BOOST_TEST(lines[0].text.size() == 1000U);
        BOOST_TEST(!lines[0].too_large);
        BOOST_TEST(lines[1].too_large);
        BOOST_TEST(lines[1].number == 2U);
        BOOST_TEST(lines[1].text.empty());
        BOOST_TEST(lines[2].text == "after");
        BOOST_TEST(lines[2].number == 3U);
        BOOST_TEST(lines[3].too_large);
        BOOST_TEST(lines[4].text == "next");
        BOOST_TEST(!lines[4].too_large);
        BOOST_TEST(lines[4].number == 1U);
    }
}

BOOST_AUTO_TEST_CASE(a_line_is_delivered_when_it_arrives) {
    this_thread const reader_thread;
    piped_input input;
    line_reader reader({"-"});
    std::vector<input_line> lines;
    for (int i = 1; i <= 5; ++i) {
        std::atomic<std::chrono::steady_clock::rep> written{0};
        std::thread writer([&] {
            reader_thread.wait_until_asleep();
            written = std::chrono::steady_clock::now().time_since_epoch().count();
            input.write("line\nunfini");
        });
        BOOST_TEST((reader.read(lines) == status::lines));
        auto const late = std::chrono::steady_clock::now().time_since_epoch().count() - written;
        writer.join();
        BOOST_TEST_REQUIRE(lines.size() == 1U);
        BOOST_TEST(lines[0].text == (i == 1 ? "line" : "unfiniline"));
        BOOST_TEST(lines[0].number == static_cast<std::uint64_t>(i));
        BOOST_TEST(lines[0].file == "-");
        // 20 ms are promised; a loaded machine may run this thread later.
        BOOST_TEST((std::chrono::steady_clock::duration(late) < 500ms));
    }
    input.write("shed");
    input.close();
    auto const rest = read_all(reader);
    BOOST_TEST_REQUIRE(rest.size() == 1U);
    BOOST_TEST(rest[0].text == "unfinished");
}

BOOST_AUTO_TEST_CASE(what_is_there_comes_together) {
    piped_input input;
    input.write("1\n2\n3\n4");
    line_reader reader({"-"});
    std::vector<input_line> lines;
    BOOST_TEST((reader.read(lines) == status::lines));
    BOOST_TEST(lines.size() == 3U);
}

BOOST_AUTO_TEST_CASE(a_stop_ends_a_read_that_waits_and_all_later_ones) {
    this_thread const reader_thread;
    piped_input input;
    line_reader reader({"-"});
    std::vector<input_line> lines;
    input.write("first\nunfinished");
    BOOST_TEST((reader.read(lines) == status::lines));
    std::thread stopper([&] {
        reader_thread.wait_until_asleep();
        reader.stop();
    });
    BOOST_TEST((reader.read(lines) == status::stopped));
    stopper.join();
    BOOST_TEST((reader.incomplete() == line_place{"-", 2}));
    input.write("\nmore\n");
    BOOST_TEST((reader.read(lines) == status::stopped));
    BOOST_TEST(lines.empty());
}

BOOST_AUTO_TEST_CASE(a_stop_leaves_nothing_in_the_pipe_that_was_there) {
    piped_input input;
    line_reader reader({"-"});
    std::vector<input_line> lines;
    input.write("1\n2\n");
    reader.stop();
    BOOST_TEST((reader.read(lines) == status::lines));
    BOOST_TEST(lines.size() == 2U);
    input.write("3\n");
    BOOST_TEST((reader.read(lines) == status::stopped));
    BOOST_TEST(!reader.incomplete());
}

BOOST_AUTO_TEST_CASE(a_stop_at_the_end_of_the_input_is_none) {
    temporary_directory const directory;
    {
        piped_input input;
        line_reader reader({"-"});
        std::vector<input_line> lines;
        input.write("1\n2");
        input.close();
        reader.stop();
        BOOST_TEST(read_all(reader).size() == 2U);
        BOOST_TEST((reader.read(lines) == status::end));
    }
    line_reader reader({directory.file("f", "1\n"), directory.file("g", "2\n")});
    std::vector<input_line> lines;
    BOOST_TEST((reader.read(lines) == status::lines));
    reader.stop();
    BOOST_TEST((reader.read(lines) == status::stopped));
}

BOOST_AUTO_TEST_CASE(the_first_line_that_is_not_blank_may_begin_an_array) {
    temporary_directory const directory;
    line_reader reader({directory.file("f", "\n \t\r\n [1\n[2"), directory.file("g", "{}\n[3]"),
                        directory.file("h", "[" + std::string(2'000, '1'))},
                       1'000);
    std::vector<std::uint64_t> found;
    for (auto const& line : read_all(reader))
        if (line.begins_array) found.push_back(line.number);
    BOOST_TEST(found == (std::vector<std::uint64_t>{3, 1}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_byte_order_mark_is_skipped_at_the_start_of_each_file) {
    temporary_directory const directory;
    line_reader reader({directory.file("f", "\xef\xbb\xbf"), directory.file("g", "\xef\xbb\xbf{}"),
                        directory.file("h", "\xef\xbb"), directory.file("i", "{}\n\xef\xbb\xbf{}")});
    std::vector<std::string> texts;
    for (auto const& line : read_all(reader)) texts.push_back(line.text);
    BOOST_TEST(texts == (std::vector<std::string>{"{}", "\xef\xbb", "{}", "\xef\xbb\xbf{}"}),
               boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(files_in_other_formats_are_named) {
    using namespace std::string_literals;
    temporary_directory const directory;
    auto const good = directory.file("good", "1\n2");
    for (auto const& [content, words] :
         {std::pair{"\x1f\x8b\x08"s, "this is gzip: use zcat"}, std::pair{"{\0\"\0"s, "this is UTF-16: use iconv"},
          std::pair{"\xff\xfe\0\0{\0\0\0"s, "this is UTF-32: use iconv"}}) {
        auto const other = directory.file("other", content);
        line_reader reader({good, other, good});
        std::vector<input_line> lines;
        for (std::size_t count = 0; count < 2; count += lines.size())
            BOOST_TEST_REQUIRE((reader.read(lines) == status::lines));
        BOOST_CHECK_EXCEPTION(reader.read(lines), wrong_format, [&](auto const& e) {
            return std::string_view(e.what()).starts_with(other + ": " + words);
        });
        BOOST_TEST(!reader.incomplete());
        BOOST_TEST(read_all(reader).size() == 2U);
    }
}

line_reader* signalled = nullptr;

BOOST_AUTO_TEST_CASE(a_signal_handler_may_stop_it) {
    this_thread const reader_thread;
    piped_input const input;
    line_reader reader({"-"});
    signalled = &reader;
    auto* const before = std::signal(SIGUSR1, [](int) { signalled->stop(); });
    auto const self = ::pthread_self();
    std::thread sender([&] {
        reader_thread.wait_until_asleep();
        ::pthread_kill(self, SIGUSR1);
    });
    std::vector<input_line> lines;
    BOOST_TEST((reader.read(lines) == status::stopped));
    sender.join();
    std::signal(SIGUSR1, before);
}

BOOST_AUTO_TEST_CASE(a_named_pipe_waits_for_its_writer_and_can_be_stopped) {
    this_thread const reader_thread;
    temporary_directory const directory;
    auto const path = directory.path("pipe");
    BOOST_REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
    {
        line_reader reader({path});
        std::thread writer([&] {
            reader_thread.wait_until_asleep();
            std::ofstream(path) << "one\ntwo";
        });
        auto const lines = read_all(reader);
        writer.join();
        BOOST_TEST_REQUIRE(lines.size() == 2U);
        BOOST_TEST(lines[1].text == "two");
    }
    line_reader reader({path});
    std::thread stopper([&] {
        reader_thread.wait_until_asleep();
        reader.stop();
    });
    std::vector<input_line> lines;
    BOOST_TEST((reader.read(lines) == status::stopped));
    stopper.join();
}

BOOST_AUTO_TEST_CASE(what_cannot_be_read_is_named_after_the_lines_before_it) {
    temporary_directory const directory;
    auto const before = directory.file("before", "last");
    auto const missing = directory.path("missing");
    line_reader reader({before, missing, directory.path(""), before});
    std::vector<input_line> lines;
    BOOST_TEST((reader.read(lines) == status::lines));
    BOOST_TEST(lines.size() == 1U);
    BOOST_CHECK_EXCEPTION(reader.read(lines), std::system_error, [&](auto const& e) {
        return e.code() == std::errc::no_such_file_or_directory &&
               std::string(e.what()) == missing + ": No such file or directory";
    });
    BOOST_CHECK_EXCEPTION(reader.read(lines), std::system_error,
                          [&](auto const& e) { return e.code() == std::errc::is_a_directory; });
    BOOST_TEST(read_all(reader).size() == 1U);
}

}  // namespace

BOOST_AUTO_TEST_SUITE_END()
