// Who may say what leaves: files that decide it and that somebody else could have written.
#include "support/child.hpp"
#include "support/pairing.hpp"
#include "support/places.hpp"

#include <doctest/doctest.h>

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdexcept>
#include <sys/stat.h>
#include <unistd.h>

namespace abgleich::test {

namespace {

namespace fs = std::filesystem;

constexpr uid_t kNobody = 65534;

const char* const kContract =
    "[tables.person]\nkey = [\"id\"]\n[tables.person.columns]\n"
    "id = { class = \"pseudonym\", identity = \"person\" }\n"
    "status = \"plain\"\n";

/// A pairing one directory down, so that there is a directory on the way; synchronised once.
class Scene {
 public:
  Scene() : pairing_(On::sqlite, On::sqlite, kContract) {
    pairing_.primary.run(
        "CREATE TABLE person (id integer PRIMARY KEY, status text);"
        "INSERT INTO person VALUES (1, 'open')");
    REQUIRE(pairing_.run({"drift", "accept"}).exit == 0);
    REQUIRE(pairing_.run({"sync"}).exit == 0);
  }
  [[nodiscard]] const Pairing& pairing() const { return pairing_; }
  [[nodiscard]] fs::path file(const std::string& name) const { return pairing_.directory / name; }

  /// Every command that reads or writes anything refuses, in the same words, and changes nothing.
  void check_refused(const std::vector<std::string>& said,
                     const std::vector<std::string>& environment = {}) {
    pairing_.primary.run("UPDATE person SET status = status || '!'");
    const auto before = pairing_.secondary.rows("SELECT * FROM person");
    for (const std::vector<std::string>& words : std::vector<std::vector<std::string>>{
             {"sync"}, {"diff"}, {"status"}, {"check"}, {"verify"}, {"keys", "check"}, {"log"}}) {
      const auto ran = pairing_.run(words, environment);
      CAPTURE(words.front());
      CAPTURE(ran.out);
      CAPTURE(ran.err);
      CHECK(ran.exit == 25);
      for (const auto& part : said) {
        CHECK((ran.out + ran.err).find(part) != std::string::npos);
      }
    }
    CHECK(pairing_.secondary.rows("SELECT * FROM person") == before);
  }
  void check_fine(const std::vector<std::string>& environment = {}) const {
    const auto ran = pairing_.run({"sync"}, environment);
    CHECK_MESSAGE(ran.exit == 0, ran.err);
  }

 private:
  Pairing pairing_;
};

/// Whether a user without any right of ours, but in our group where the file's mode is for that,
/// can write to the file. The directory lets everybody pass meanwhile.
bool others_can_write(const fs::path& file, mode_t mode) {
  const auto directory = file.parent_path();
  fs::permissions(directory, fs::perms::others_exec | fs::perms::group_exec, fs::perm_options::add);
  const bool can = ends_well([&] {
    const bool by_group = (mode & 0002U) == 0 && (mode & 0020U) != 0;
    if (::setgroups(0, nullptr) != 0 || ::setgid(by_group ? ::getgid() : kNobody) != 0 ||
        ::setuid(kNobody) != 0) {
      throw std::runtime_error("it is the superuser who becomes another user");
    }
    const int there = ::open(file.c_str(), O_WRONLY | O_CLOEXEC);
    if (there < 0) {
      throw std::runtime_error("no");
    }
  });
  fs::permissions(directory, fs::perms::others_exec | fs::perms::group_exec,
                  fs::perm_options::remove);
  return can;
}

}  // namespace

TEST_CASE("a configuration, contract or catalogue that others may write is refused") {
  Scene scene;
  for (const std::string name : {"abgleich.toml", "contract.toml", "catalog.json"}) {
    for (const mode_t mode : {0664U, 0646U, 0666U}) {
      CAPTURE(name);
      REQUIRE(::chmod(scene.file(name).c_str(), mode) == 0);
      // the control: somebody else really could decide what leaves
      CHECK((::geteuid() != 0 || others_can_write(scene.file(name), mode)));
      scene.check_refused({name + "' may be written by others", "chmod go-w "});
    }
    // the hint, followed
    REQUIRE(::chmod(scene.file(name).c_str(), 0644) == 0);
    CHECK((::geteuid() != 0 || !others_can_write(scene.file(name), 0644)));
    scene.check_fine();
  }
}

TEST_CASE("a directory on the way that others may write is refused, and the sticky bit helps") {
  Scene scene;
  const auto directory = scene.pairing().directory.path();
  REQUIRE(::chmod(directory.c_str(), 0777) == 0);
  scene.check_refused({"on the way to the configuration", "chmod go-w "});
  REQUIRE(::chmod(directory.c_str(), 0770) == 0);
  scene.check_refused({"may be written by others (mode 0770)"});
  REQUIRE(::chmod(directory.c_str(), 01777) == 0);
  scene.check_fine();
  REQUIRE(::chmod(directory.c_str(), 0700) == 0);
  // the contract's own way, and that of a symbolic link to it
  const auto shared = directory / "shared";
  fs::create_directory(shared);
  fs::rename(scene.file("contract.toml"), shared / "contract.toml");
  fs::create_symlink("shared/contract.toml", scene.file("contract.toml"));
  scene.check_fine();
  REQUIRE(::chmod(shared.c_str(), 0777) == 0);
  scene.check_refused({"shared', on the way to the contract"});
  REQUIRE(::chmod(shared.c_str(), 0755) == 0);
  scene.check_fine();
}

TEST_CASE("what a configuration includes is asked for the same: it decides as much") {
  Scene scene;
  const auto common = scene.file("common.toml");
  write_file(common, "[limits]\nmax_deleted = 3\n");
  write_file(scene.file("abgleich.toml"),
             "include = \"common.toml\"\n" + read_file(scene.file("abgleich.toml")));
  scene.check_fine();
  REQUIRE(::chmod(common.c_str(), 0666) == 0);
  scene.check_refused({"the included configuration", "may be written by others", "chmod go-w "});
  // whatever it says
  write_file(common, "no TOML at all");
  scene.check_refused({"the included configuration", "may be written by others"});
  write_file(common, "[limits]\nmax_deleted = 3\n");
  REQUIRE(::chmod(common.c_str(), 0644) == 0);
  scene.check_fine();
}

TEST_CASE("a key's directory, a state directory that others may write are refused") {
  Scene scene;
  const auto keys = scene.file("keys");
  fs::create_directory(keys);
  fs::rename(scene.file("abgleich.key"), keys / "abgleich.key");
  scene.pairing().configure("[keys]\nfile = \"keys/abgleich.key\"\n");
  scene.check_fine();
  REQUIRE(::chmod(keys.c_str(), 0777) == 0);
  scene.check_refused({"the directory of the key file"});
  REQUIRE(::chmod(keys.c_str(), 0700) == 0);
  REQUIRE(::chmod(scene.file("state").c_str(), 0777) == 0);
  scene.check_refused({"the state directory", "chmod go-w "});
}

TEST_CASE("authorities that others may write vouch for nobody") {
  Scene scene;
  const auto file = scene.file("authorities.crt");
  write_file(file, "");
  write_file(scene.file("abgleich.toml"),
             "[primary]\nurl = \"" + scene.pairing().primary.url() +
                 "\"\n[secondary]\nurl = \"postgresql://me@db2/x?hostaddr=127.0.0.1&sslrootcert=" +
                 file.string() + "\"\n");
  REQUIRE(::chmod(file.c_str(), 0666) == 0);
  scene.check_refused({"the server's sslrootcert file", "chmod go-w "});
  REQUIRE(::chmod(file.c_str(), 0600) == 0);
  CHECK(scene.pairing().run({"keys", "check"}).exit == 0);
}

TEST_CASE("files of another user are refused, but for root's and for those of who called sudo") {
  if (::geteuid() != 0) {
    // Nobody but root can give files away; what others own is there all the same.
    const auto* const root = ::getpwuid(0);
    REQUIRE(root != nullptr);
    Scene scene;
    scene.check_fine();  // "/" and "/tmp" are root's
    return;
  }
  Scene scene;
  for (const std::string name : {"abgleich.toml", "contract.toml", "catalog.json", "state", "."}) {
    CAPTURE(name);
    const auto file = name == "." ? scene.pairing().directory.path() : scene.file(name);
    REQUIRE(::chown(file.c_str(), kNobody, 0) == 0);
    scene.check_refused({"belongs to another user", "sudo -u nobody abgleich", "chown "});
    scene.check_refused({"belongs to another user"}, {"SUDO_UID=1234"});
    scene.check_fine({"SUDO_UID=65534"});
    REQUIRE(::chown(file.c_str(), 0, 0) == 0);
    scene.check_fine();
  }
}

TEST_CASE("the working directory's abgleich.toml of another user is never taken") {
  if (::geteuid() != 0) {
    return;  // see above
  }
  const TemporaryDirectory directory;
  REQUIRE(::chmod(directory.path().c_str(), 01777) == 0);  // as /tmp is
  write_file(directory / "abgleich.toml",
             "[primary]\nurl = \"sqlite:a\"\n[secondary]\nurl = \"sqlite:b\"\n");
  REQUIRE(::chown((directory / "abgleich.toml").c_str(), kNobody, kNobody) == 0);
  const auto ran = run_program({kProgram, "keys", "generate"}, directory.path().string());
  CHECK(ran.exit == 25);
  CHECK(ran.err.find("abgleich.toml' belongs to another user") != std::string::npos);
  CHECK(ran.err.find("--config FILE") != std::string::npos);
  CHECK(!fs::exists(directory / "abgleich.key"));
}

TEST_CASE("what init makes is its user's alone to write, whatever the umask") {
  const TemporaryDirectory directory;
  Database primary(On::sqlite, directory / "primary.db");
  primary.run("CREATE TABLE t (id integer PRIMARY KEY)");
  Database secondary(On::sqlite, directory / "secondary.db");
  const auto ran = run_program(
      {"/bin/sh", "-c",
       "umask 000; \"$0\" init --primary sqlite:primary.db --secondary sqlite:secondary.db "
       "--directory made && \"$0\" --config made/abgleich.toml drift accept && "
       "\"$0\" --config made/abgleich.toml sync",
       kProgram},
      directory.path().string());
  CHECK_MESSAGE(ran.exit == 0, ran.err);
  for (const std::string name : {"", "abgleich.toml", "contract.toml", "catalog.json"}) {
    struct stat status {};
    REQUIRE(::stat((directory / "made" / name).c_str(), &status) == 0);
    CHECK((status.st_mode & 022U) == 0);
  }
}

TEST_CASE("drift against a catalogue from a file lets nothing leave, whoever owns the files") {
  Scene scene;
  REQUIRE(::chmod(scene.file("contract.toml").c_str(), 0666) == 0);
  CHECK(scene.pairing().run({"drift", "--catalog", "catalog.json"}).exit == 0);
}

}  // namespace abgleich::test
