// What is long goes through a pager on a terminal, and through none anywhere else.
#include "support/pairing.hpp"
#include "support/server.hpp"

#include <doctest/doctest.h>

#include <sys/stat.h>

namespace abgleich::test {

namespace {

const char* const kContract = R"([tables.person]
key = ["id"]
[tables.person.columns]
id = { class = "pseudonym", identity = "person" }
status = "plain"
)";

/// A pairing with one run, and rows that a second one would bring.
class Scene : public Pairing {
 public:
  explicit Scene(On engine = On::sqlite) : Pairing(engine, engine, kContract) {
    primary.run("CREATE TABLE person (id integer PRIMARY KEY, status text)");
    primary.run("INSERT INTO person VALUES (1, 'new')");
    REQUIRE(run({"sync"}).exit == 0);
    primary.run("INSERT INTO person VALUES (2, 'new'), (3, 'new')");
  }

  /// More than a pipe holds.
  void bring_many() {
    std::string many = "INSERT INTO person VALUES (10, 'x')";
    for (int i = 11; i < 3000; ++i) {
      many += ", (" + std::to_string(i) + ", 'x')";
    }
    primary.run(many);
  }

  /// As a person sees it: on a terminal, where stdout and stderr are one.
  Ran on_terminal(const std::string& words, const std::string& pager,
                  std::vector<std::string> environment = {}) {
    environment.insert(environment.begin(), {"PAGER=" + pager, "TERM=dumb"});
    return run_program({"/usr/bin/script", "--quiet", "--return", "--command",
                        "/usr/bin/env -u LESS " + called(words), "/dev/null"},
                       directory.path().string(), environment);
  }
  static std::string called(const std::string& words) {
    return std::string(kProgram) + " --color never --no-progress " + words;
  }

  /// A program of that name below the directory, which is to be found by PATH.
  void make_program(const std::string& name, const std::string& text) {
    const auto file = directory / name;
    std::filesystem::create_directories(file.parent_path());
    write_file(file, "#!/bin/sh\n" + text + "\n");
    REQUIRE(::chmod(file.c_str(), 0755) == 0);
  }
};

bool holds(const Ran& ran, const std::string& text) {
  return ran.out.find(text) != std::string::npos;
}

const char* const kMark = "sed 's/^/paged: /'";

}  // namespace

TEST_CASE("pager: what is long goes through it") {
  Scene scene;
  for (const auto* words : {"log", "show latest", "diff", "conflicts", "quarantine"}) {
    CAPTURE(words);
    const auto ran = scene.on_terminal(words, kMark);
    CHECK(ran.exit == 0);
    CHECK_MESSAGE(ran.out.starts_with("paged: "), ran.out);
  }
  CHECK_FALSE(holds(scene.on_terminal("status", kMark), "paged: "));
}

TEST_CASE("pager: not with --no-pager, --json or -q, and never where stdout is no terminal") {
  Scene scene;
  for (const auto* words : {"log --no-pager", "log --json", "log -q", "diff --json"}) {
    CAPTURE(words);
    const auto ran = scene.on_terminal(words, kMark);
    CHECK(ran.exit == 0);
    CHECK(!ran.out.empty());
    CHECK_FALSE(holds(ran, "paged: "));
  }
  const auto piped = scene.run({"log"}, {std::string("PAGER=") + kMark});
  CHECK(holds(piped, "r1-"));
  CHECK_FALSE(holds(piped, "paged: "));
  const auto variable = run_program({"/usr/bin/script", "--quiet", "--return", "--command",
                                     std::string(kProgram) + " log", "/dev/null"},
                                    scene.directory.path().string(),
                                    {std::string("PAGER=") + kMark, "ABGLEICH_NO_PAGER=1"});
  CHECK(holds(variable, "r1-"));
  CHECK_FALSE(holds(variable, "paged: "));
}

TEST_CASE("pager: one that is quit early is no error, and the exit code is the command's") {
  Scene scene;
  scene.bring_many();
  for (const auto& [words, exit] : {std::pair("diff", 0), std::pair("diff --exit-code", 1)}) {
    CAPTURE(words);
    const auto ran = scene.on_terminal(words, "head -n 1");
    CHECK(ran.exit == exit);
    CHECK_MESSAGE(ran.out.find('\n') + 1 == ran.out.size(), ran.out.substr(0, 500));
  }
  CHECK(scene.on_terminal("diff --exit-code", "false").exit == 1);
}

TEST_CASE("pager: while somebody reads, no database is held") {
  Scene scene;
  scene.bring_many();
  const auto meanwhile = std::string(kProgram) + " sync --json >said 2>&1 </dev/null; cat";
  // what it reads is what would be done: the pager does it before it reads
  const auto read = scene.on_terminal("diff", meanwhile);
  CHECK(read.exit == 0);
  CHECK(holds(read, "would be 2992 inserted"));
  CHECK_MESSAGE(
      read_file(scene.directory / "said").find("\"outcome\":\"applied\"") != std::string::npos,
      read_file(scene.directory / "said"));
  scene.primary.run("INSERT INTO person VALUES (5000, 'x')");
  const auto shown = scene.on_terminal("show latest", meanwhile);
  CHECK(shown.exit == 0);
  CHECK(holds(shown, "take it back: abgleich revert"));
  CHECK_MESSAGE(
      read_file(scene.directory / "said").find("\"outcome\":\"applied\"") != std::string::npos,
      read_file(scene.directory / "said"));
}

TEST_CASE("pager: an interrupt ends the work, whatever has been printed by then") {
  Scene scene(On::postgresql);
  PlainConnection other(scene.secondary.url());
  other.run("BEGIN; LOCK TABLE abgleich.journal");
  Program reader(
      {"/usr/bin/script", "--quiet", "--return", "--command",
       "sh -c 'echo $$ >process; exec " + Scene::called("show latest") + "'", "/dev/null"},
      scene.directory.path().string(), {"PAGER=head -n 1", "TERM=dumb"});
  // it has printed the run, and waits for its changes
  wait_for(scene.secondary.url(),
           "SELECT count(*) FROM pg_locks WHERE NOT granted AND "
           "relation = 'abgleich.journal'::regclass",
           "1");
  REQUIRE(::kill(std::stoi(read_file(scene.directory / "process")), SIGINT) == 0);
  const auto ran = reader.wait();
  CHECK(ran.exit == 128 + SIGINT);
  CHECK_MESSAGE(ran.out.empty(), ran.out);
  other.run("ROLLBACK");
}

TEST_CASE("pager: with the rights of another user, only less, and one that runs nothing") {
  Scene scene;
  scene.make_program("bin/less", "echo less, LESSSECURE is $LESSSECURE");
  const auto path = "PATH=" + (scene.directory / "bin").string() + ":/usr/bin:/bin";
  const auto* const tells = "echo another, LESSSECURE is $LESSSECURE; cat >/dev/null";
  CHECK(holds(scene.on_terminal("log", tells, {path}), "another, LESSSECURE is\r"));
  const auto sudo = scene.on_terminal("log", tells, {path, "SUDO_UID=1000", "LESSSECURE=0"});
  CHECK_MESSAGE(holds(sudo, "less, LESSSECURE is 1"), sudo.out);
  CHECK_FALSE(holds(sudo, "another"));
}

TEST_CASE("pager: it is what a shell makes of $PAGER") {
  Scene scene;
  scene.make_program("bin/marks", kMark);
  const auto home = "HOME=" + scene.directory.path().string();
  for (const auto* pager : {"exec sed 's/^/paged: /'", "~/bin/marks", "sed -e 's/^/paged: /'",
                            "MARK='paged: ' sh -c 'sed \"s/^/$MARK/\"'"}) {
    CAPTURE(pager);
    const auto ran = scene.on_terminal("log", pager, {home});
    CHECK_MESSAGE(ran.out.starts_with("paged: "), ran.out);
  }
  const auto less = scene.on_terminal("log", "less -S", {"TERM=xterm"});
  CHECK(less.exit == 0);
  CHECK(holds(less, "r1-"));
}

TEST_CASE("pager: one that cannot be run, or fails before it has read, swallows nothing") {
  Scene scene;
  scene.bring_many();
  write_file(scene.directory / "text", "no program");
  for (const auto* pager :
       {"/tmp", "./text", "false", "exit 3", "kill -SEGV $$", "exec no-such-pager"}) {
    CAPTURE(pager);
    const auto ran = scene.on_terminal("diff --exit-code", pager);
    CHECK(ran.exit == 1);
    CHECK_MESSAGE(holds(ran, "would be 2992 inserted"), ran.out.substr(0, 500));
  }
  // one that has read, and then fails, has shown it
  const auto once = scene.on_terminal("diff", "sed 's/^/paged: /'; exit 3");
  CHECK(once.exit == 0);
  CHECK_FALSE(holds(once, "\nperson: would be"));
  const auto without_less = scene.on_terminal("log", "x", {"SUDO_UID=1000", "PATH=/nowhere"});
  CHECK_MESSAGE(holds(without_less, "r1-"), without_less.out);
}

TEST_CASE("pager: what memory has no room for is printed at once") {
  Scene scene;
  scene.bring_many();
  REQUIRE(scene.run({"sync"}).exit == 0);
  // a file of memory is a file, and may not grow here
  const auto ran =
      run_program({"/usr/bin/script", "--quiet", "--return", "--command",
                   "sh -c 'ulimit -f 0; exec " + Scene::called("show latest") + "'", "/dev/null"},
                  scene.directory.path().string(), {std::string("PAGER=") + kMark, "TERM=dumb"});
  CHECK(ran.exit == 0);
  CHECK(holds(ran, "take it back: abgleich revert"));
  CHECK_FALSE(holds(ran, "paged: "));
}

TEST_CASE("pager: what is said on stderr stands behind what was read") {
  Scene scene;
  scene.primary.run("ALTER TABLE person ADD COLUMN more text");
  const auto ran = scene.on_terminal("diff", kMark);
  CHECK(ran.exit == 0);
  const auto last = ran.out.find("\r\ninfo new_column");
  CHECK_MESSAGE(ran.out.starts_with("paged: "), ran.out);
  CHECK_MESSAGE(last != std::string::npos, ran.out);
  CHECK(ran.out.find("paged: ", last) == std::string::npos);
  // every statement is told as it ends: nothing is paged then
  CHECK_FALSE(holds(scene.on_terminal("diff -vv", kMark), "paged: "));
}

TEST_CASE("pager: none is started where there is none, and an error is told on the terminal") {
  Scene scene;
  for (const auto* none : {"", "  ", "cat", "no-such-pager -x", "/nowhere/less"}) {
    CAPTURE(none);
    const auto ran = scene.on_terminal("log", none);
    CHECK(ran.exit == 0);
    CHECK(holds(ran, "r1-"));
  }
  const auto failed = scene.on_terminal("show r7", kMark);
  CHECK(failed.exit == 64);
  CHECK_MESSAGE(failed.out.starts_with("error: there is no run 'r7'"), failed.out);
}

TEST_CASE("pager: less is told to leave a short text on the screen, unless LESS says otherwise") {
  Scene scene;
  const auto* const tells = "sh -c 'echo LESS is $LESS; cat >/dev/null'";
  CHECK(holds(scene.on_terminal("log", tells), "LESS is FRX"));
  const auto own =
      run_program({"/usr/bin/script", "--quiet", "--return", "--command",
                   std::string(kProgram) + " log", "/dev/null"},
                  scene.directory.path().string(), {std::string("PAGER=") + tells, "LESS=M"});
  CHECK(holds(own, "LESS is M"));
}

}  // namespace abgleich::test
