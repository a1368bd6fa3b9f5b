#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

#include "contract/stores.hpp"
#include "store/sqlite/side_file.hpp"

using namespace minibatch;
using namespace minibatch::test;
namespace fs = std::filesystem;
using minibatch::store::sqlite::side_file;

BOOST_AUTO_TEST_SUITE(sqlite_side_file)

/// The file beside a database: whose it is, and what may have its name.
namespace {

class with_umask {
  public:
    explicit with_umask(mode_t mask) : before_(::umask(mask)) {}
    ~with_umask() { ::umask(before_); }
    with_umask(with_umask const&) = delete;
    with_umask& operator=(with_umask const&) = delete;

  private:
    mode_t before_;
};

struct stat status(std::string const& path) {
    struct stat out {};
    BOOST_REQUIRE(::lstat(path.c_str(), &out) == 0);
    return out;
}
unsigned mode(std::string const& path) { return status(path).st_mode & 07777; }

std::string content(std::string const& path) {
    std::ostringstream out;
    out << std::ifstream(path).rdbuf();
    return out.str();
}

struct place {
    place() {
        std::ofstream(path) << "";
        ::chmod(path.c_str(), 0600);
    }
    void refused(std::string const& about) const {
        std::string text;
        auto const code = code_of([&] { open_store("sqlite:" + path); }, &text);
        BOOST_TEST((code == errc::not_a_database), code.message() << ": " << text);
        BOOST_TEST(text.find("database '" + path + "', open: the file '" + side + "' ") == 0, text);
        BOOST_TEST(text.find(about) != text.npos, text);
    }

    temporary_directory dir;
    std::string path = dir / "a.db";
    std::string side = path + "-minibatch";
};

}  // namespace

BOOST_AUTO_TEST_CASE(the_mode_is_that_of_the_database) {
    with_umask const usual(022);
    for (mode_t const wanted : {0600U, 0640U, 0664U, 0666U}) {
        place p;
        ::chmod(p.path.c_str(), wanted);
        open_store("sqlite:" + p.path);
        BOOST_TEST(mode(p.side) == wanted);
    }
    // One that is there already follows, too.
    place p;
    open_store("sqlite:" + p.path);
    ::chmod(p.path.c_str(), 0664);
    open_store("sqlite:" + p.path);
    BOOST_TEST(mode(p.side) == 0664U);
}

BOOST_AUTO_TEST_CASE(the_owner_is_that_of_the_database) {
    // Only root can give files away.
    uid_t const user = ::geteuid() == 0 ? 65534 : ::geteuid();
    gid_t const group = ::geteuid() == 0 ? 65533 : ::getegid();
    place p;
    BOOST_REQUIRE(::chown(p.path.c_str(), user, group) == 0);
    open_store("sqlite:" + p.path);
    BOOST_TEST(status(p.side).st_uid == user);
    BOOST_TEST(status(p.side).st_gid == group);
    // As versions before left it.
    BOOST_REQUIRE(::chown(p.side.c_str(), ::geteuid(), ::getegid()) == 0);
    open_store("sqlite:" + p.path);
    BOOST_TEST(status(p.side).st_uid == user);
    BOOST_TEST(status(p.side).st_gid == group);
}

BOOST_AUTO_TEST_CASE(a_symbolic_link_is_not_followed) {
    place p;
    std::ofstream(p.dir / "precious") << "precious";
    ::chmod((p.dir / "precious").c_str(), 0644);
    fs::create_symlink("precious", p.side);
    p.refused("symbolic link");
    BOOST_TEST(content(p.dir / "precious") == "precious");
    BOOST_TEST(mode(p.dir / "precious") == 0644U);
    fs::remove(p.side);
    fs::create_symlink("nothing", p.side);
    p.refused("symbolic link");
    BOOST_TEST(!fs::exists(p.dir / "nothing"));
}

BOOST_AUTO_TEST_CASE(other_files_are_left_alone) {
    place p;
    std::ofstream(p.dir / "precious") << std::string(16, '\0');
    ::chmod((p.dir / "precious").c_str(), 0644);
    fs::create_hard_link(p.dir / "precious", p.side);
    p.refused("another name");
    fs::remove(p.side);
    fs::rename(p.dir / "precious", p.side);
    std::ofstream(p.side) << "precious";
    p.refused("other content");
    std::ofstream(p.side) << "sixteen letters!";
    p.refused("other content");
    BOOST_TEST(content(p.side) == "sixteen letters!");
    BOOST_TEST(mode(p.side) == 0644U);
    fs::remove(p.side);
    fs::create_directory(p.side);
    p.refused("not a regular file");
    fs::remove(p.side);
    BOOST_REQUIRE(::mkfifo(p.side.c_str(), 0600) == 0);
    p.refused("not a regular file");
}

BOOST_AUTO_TEST_CASE(the_owner_must_be_able_to_write_to_the_database) {
    if (::geteuid() != 0) return;  // only root can give files away
    place p;
    std::ofstream(p.side) << "";
    ::chmod(p.path.c_str(), 0644);
    BOOST_REQUIRE(::chown(p.path.c_str(), 65534, 65533) == 0);
    BOOST_REQUIRE(::chown(p.side.c_str(), 12345, 65533) == 0);
    p.refused("owner may not write");
    BOOST_TEST(status(p.side).st_uid == 12345U);
    // A member of the group may have made it.
    ::chmod(p.path.c_str(), 0664);
    open_store("sqlite:" + p.path);
}

BOOST_AUTO_TEST_SUITE_END()
