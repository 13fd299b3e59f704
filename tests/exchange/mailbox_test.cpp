#include "exchange/mailbox.hpp"

#include "core/error.hpp"
#include "exchange/bundles.hpp"
#include "support/temporary_directory.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <ctime>
#include <fcntl.h>
#include <fstream>
#include <functional>
#include <iterator>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>
#include <vector>

namespace abgleich::exchange {
namespace {

namespace fs = std::filesystem;

constexpr mode_t kAll = 07777;
const std::string kName = "aaaqeayeaudaocajbifqydiob4";
const std::string kOther = "caireeyuculbogazdinryhi6d4";

std::string text_of(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

void put(const fs::path& file, std::string_view text) {
  std::ofstream(file, std::ios::binary) << text;
}

mode_t mode_of(const fs::path& file) {
  struct stat status {};
  REQUIRE(::lstat(file.c_str(), &status) == 0);
  return status.st_mode & kAll;
}

std::span<const std::uint8_t> bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

/// What a feed gives, taken in pieces of so many bytes.
std::string text_of(const seal::Feed& feed, std::size_t piece = 65'536) {
  std::string text;
  for (std::vector<std::uint8_t> bytes(piece);;) {
    const auto got = feed(bytes);
    if (got == 0) {
      return text;
    }
    text.append(reinterpret_cast<const char*>(bytes.data()), got);
  }
}

void send(const Mailbox& mailbox, const std::string& name, std::string_view text) {
  Mailbox::NewFile file(mailbox, name);
  file.add(bytes_of(text));
  file.finish();
}

std::set<std::string> names_in(const fs::path& directory) {
  std::set<std::string> names;
  for (const auto& entry : fs::directory_iterator(directory)) {
    names.insert(entry.path().filename().string());
  }
  return names;
}

void set_time(const fs::path& file, std::int64_t before_now) {
  const std::timespec then{.tv_sec = ::time(nullptr) - before_now, .tv_nsec = 0};
  const std::array<std::timespec, 2> times{then, then};
  REQUIRE(::utimensat(AT_FDCWD, file.c_str(), times.data(), AT_SYMLINK_NOFOLLOW) == 0);
}

Error error_of(const std::function<void()>& act) {
  try {
    act();
  } catch (const Failure& failure) {
    return failure.error();
  }
  return {.code = Code::done, .message = "no failure", .hint = ""};
}

/// What comes of it where this process is not the superuser, whom no right stops. What `act`
/// returns stands in for the message where nothing fails.
Error without_privileges(const std::function<std::string()>& act) {
  std::array<int, 2> ends{};
  REQUIRE(::pipe(ends.data()) == 0);
  const auto child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    constexpr uid_t kNobody = 65'534;
    std::string said = "no other user";
    if (::geteuid() != 0 || ::setuid(kNobody) == 0) {
      std::string returned;
      auto error = error_of([&] { returned = act(); });
      if (error.code == Code::done) {
        error.message = returned;
      }
      said =
          std::to_string(static_cast<int>(error.code)) + "\n" + error.message + "\n" + error.hint;
    }
    const auto written = ::write(ends[1], said.data(), said.size());
    ::_exit(written < 0 ? 1 : 0);
  }
  ::close(ends[1]);
  std::string said(4096, '\0');
  const auto got = ::read(ends[0], said.data(), said.size());
  ::close(ends[0]);
  REQUIRE(::waitpid(child, nullptr, 0) == child);
  REQUIRE(got > 0);
  said.resize(static_cast<std::size_t>(got));
  const auto first = said.find('\n');
  const auto second = said.find('\n', first + 1);
  REQUIRE(second != std::string::npos);
  return {.code = static_cast<Code>(std::stoi(said.substr(0, first))),
          .message = said.substr(first + 1, second - first - 1),
          .hint = said.substr(second + 1)};
}

/// A mailbox in a directory that other users can reach, and a private place beside it.
struct Scene {
  Scene() {
    fs::create_directory(path);
    REQUIRE(::chmod(directory.path().c_str(), 0777) == 0);
  }
  ~Scene() { (void)::chmod(path.c_str(), 0777); }
  Scene(const Scene&) = delete;
  Scene& operator=(const Scene&) = delete;

  test::TemporaryDirectory directory;
  fs::path path = directory / "box";
  Mailbox mailbox{path};
};

TEST_CASE("mailbox: the name of a box is 26 characters of base32, and only that") {
  BoxName box{};
  for (std::size_t i = 0; i < box.size(); ++i) {
    box.at(i) = static_cast<std::uint8_t>(i);
  }
  CHECK(box_text(box) == kName);
  BoxName back{};
  CHECK(read_box(kName, back));
  CHECK(back == box);
  for (const auto* wrong :
       {"", "aaaqeayeaudaocajbifqydiob", "aaaqeayeaudaocajbifqydiob4a",
        "aaaqeayeaudaocajbifqydiob5", "AAAQEAYEAUDAOCAJBIFQYDIOB4", "../qeayeaudaocajbifqydiob4",
        "aaaqeayeaudaocajbifqydio/4", ".tmp-eayeaudaocajbifqydiob"}) {
    CHECK_FALSE(read_box(wrong, back));
  }
}

TEST_CASE("mailbox: a file has its name only when all of it is there, and replaces the older one") {
  const Scene scene;
  for (const std::string text : {"first", "", "and the second"}) {
    const auto before = scene.mailbox.has(kName) ? text_of(scene.path / kName) : "none";
    {
      Mailbox::NewFile file(scene.mailbox, kName);
      file.add(bytes_of(text.substr(0, 2)));
      file.add(bytes_of(text.substr(std::min<std::size_t>(2, text.size()))));
      CHECK((scene.mailbox.has(kName) ? text_of(scene.path / kName) : "none") == before);
      const auto names = names_in(scene.path);
      CHECK(std::ranges::count_if(
                names, [](const std::string& name) { return name.starts_with(".tmp-"); }) == 1);
      file.finish();
      CHECK(scene.mailbox.has(kName));
    }
    CHECK(text_of(scene.path / kName) == text);
    CHECK(names_in(scene.path) == std::set{kName});
  }
}

TEST_CASE("mailbox: others may read a file, whatever the umask says") {
  const Scene scene;
  for (const mode_t mask : {0U, 027U, 077U}) {
    const auto before = ::umask(mask);
    send(scene.mailbox, kName, "x");
    ::umask(before);
    CHECK(mode_of(scene.path / kName) == 0644);
  }
}

TEST_CASE("mailbox: what is not finished leaves nothing, and the older file stays") {
  const Scene scene;
  send(scene.mailbox, kName, "old");
  {
    Mailbox::NewFile file(scene.mailbox, kName);
    file.add(bytes_of("new"));
  }
  CHECK(names_in(scene.path) == std::set{kName});
  CHECK(text_of(scene.path / kName) == "old");
}

TEST_CASE("mailbox: each feed of an open file gives all of it, from its start") {
  const Scene scene;
  std::string text(200'000, 'a');
  text[100'000] = '\0';
  text.back() = 'z';
  send(scene.mailbox, kName, text);
  const auto file = scene.mailbox.open(kName);
  REQUIRE(file);
  CHECK(file->size() == text.size());
  const auto first = file->feed();
  std::array<std::uint8_t, 7> begun{};
  REQUIRE(first(begun) == begun.size());
  CHECK((text_of(file->feed()) == text));
  CHECK((text_of(file->feed(), 999) == text));
  CHECK((text_of(first) == text.substr(begun.size())));
  CHECK(first(begun) == 0);
  CHECK_FALSE(scene.mailbox.open(kOther));
  send(scene.mailbox, kOther, "");
  CHECK(scene.mailbox.open(kOther).value().size() == 0);
  CHECK(text_of(scene.mailbox.open(kOther).value().feed()).empty());
}

TEST_CASE("mailbox: an open file stays what it was when another one takes its name, or none") {
  const Scene scene;
  send(scene.mailbox, kName, "old");
  auto file = scene.mailbox.open(kName);
  REQUIRE(file);
  send(scene.mailbox, kName, "and new");
  auto other = scene.mailbox.open(kName);
  REQUIRE(other);
  scene.mailbox.remove(kName);
  const auto feed = file->feed();
  const Mailbox::File moved = std::move(*file);
  CHECK(text_of(feed) == "old");
  CHECK(text_of(moved.feed()) == "old");
  CHECK(text_of(other->feed()) == "and new");
  *file = std::move(*other);
  CHECK(text_of(file->feed()) == "and new");
  CHECK(file->size() == 7);
}

TEST_CASE("mailbox: an open file is closed again, also where it was moved") {
  const Scene scene;
  send(scene.mailbox, kName, "x");
  fs::create_directory(scene.path / kOther);
  const auto open_files = [] {
    return std::ranges::distance(fs::directory_iterator("/proc/self/fd"), fs::directory_iterator());
  };
  const auto before = open_files();
  {
    auto file = scene.mailbox.open(kName);
    auto other = scene.mailbox.open(kName);
    REQUIRE((file && other));
    CHECK(open_files() == before + 2);
    const Mailbox::File moved = std::move(*file);
    *file = std::move(*other);
    CHECK(open_files() == before + 2);
    CHECK_FALSE(scene.mailbox.open(kOther));
  }
  CHECK(open_files() == before);
}

TEST_CASE("mailbox: of a file nothing is read beyond the size that it had when it was opened") {
  const Scene scene;
  put(scene.path / kName, "short");
  const auto file = scene.mailbox.open(kName);
  REQUIRE(file);
  std::ofstream(scene.path / kName, std::ios::app) << " and more";
  CHECK(file->size() == 5);
  CHECK(text_of(file->feed()) == "short");
  CHECK(text_of(file->feed(), 3) == "short");
  fs::resize_file(scene.path / kName, 2);
  CHECK(text_of(file->feed()) == "sh");
  const auto empty = Mailbox("/proc/self").open("status");  // says that it is empty
  REQUIRE(empty);
  CHECK(empty->size() == 0);
  CHECK(text_of(empty->feed()).empty());
}

/// Why a file is not applied as a bundle, and how many bytes are read until that is known.
struct Reading {
  std::optional<NotApplied::Why> why;
  std::uint64_t taken = 0;
};

Reading read_as_bundle(const Way& way, const Mailbox::File& file) {
  Reading reading;
  const auto counted_feed = [&]() -> seal::Feed {
    return [&reading, feed = file.feed()](std::span<std::uint8_t> bytes) {
      const auto got = feed(bytes);
      reading.taken += got;
      return got;
    };
  };
  try {
    BundleReader reader(way.grant, way.from.card(), way.to.card().id, kBox, counted_feed);
    (void)read_all(reader);
  } catch (const NotApplied& refused) {
    reading.why = refused.why();
  }
  return reading;
}

TEST_CASE("mailbox: a bundle is read where it lies") {
  const Scene scene;
  const Way way;
  const auto bundle = some_bundle(way);
  send(scene.mailbox, kName, bundle);
  const auto reading = read_as_bundle(way, scene.mailbox.open(kName).value());
  CHECK_FALSE(reading.why);
  CHECK(reading.taken == 2 * bundle.size());
}

TEST_CASE("mailbox: a sparse file of some GiB costs nothing, and ends where nobody has sealed it") {
  const Scene scene;
  const Way way;
  constexpr std::uint64_t kLarge = 3ULL << 30U;
  constexpr std::uint64_t kChunk = 65'536;
  for (const auto& front : {std::string(), some_bundle(way)}) {
    send(scene.mailbox, kName, front);
    fs::resize_file(scene.path / kName, kLarge);
    const auto file = scene.mailbox.open(kName);
    REQUIRE(file);
    CHECK(file->size() == kLarge);
    const auto reading = read_as_bundle(way, *file);
    CHECK(reading.why == NotApplied::Why::altered);
    CHECK(reading.taken > 0);
    CHECK(reading.taken < front.size() + 2 * kChunk);
    struct stat status {};
    REQUIRE(::stat((scene.path / kName).c_str(), &status) == 0);
    CHECK(status.st_blocks < 2048);  // of 512 bytes: nothing has filled the hole
    CHECK(names_in(scene.path) == std::set{kName});
  }
}

TEST_CASE("mailbox: what the system reports while an open file is read is said") {
  const Scene scene;
  send(scene.mailbox, kName, "x");
  const auto file = scene.mailbox.open(kName);
  REQUIRE(file);
  constexpr std::size_t kSize = 4096;
  auto* const nowhere = ::mmap(nullptr, kSize, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
                               0);  // nothing can be put there
  REQUIRE(nowhere != MAP_FAILED);
  const auto error = error_of([&] {
    (void)file->feed()({static_cast<std::uint8_t*>(nowhere), kSize});
  });
  ::munmap(nowhere, kSize);
  CHECK(error.code == Code::try_again);
  CHECK(error.message == "the mailbox '" + scene.path.string() +
                             "' cannot be read: Bad address; nothing was fetched; rows wait there "
                             "for the next run");
}

TEST_CASE("mailbox: what is no regular file is not there, and nobody waits for it") {
  const Scene scene;
  put(scene.directory / "secret", "of this machine");
  const auto expect_nothing = [&] {
    CHECK_FALSE(scene.mailbox.has(kName));
    CHECK_FALSE(scene.mailbox.open(kName));
    fs::remove(scene.path / kName);
  };
  fs::create_symlink(scene.directory / "secret", scene.path / kName);
  expect_nothing();
  fs::create_symlink(kName, scene.path / kName);
  expect_nothing();
  fs::create_directory(scene.path / kName);
  expect_nothing();
  REQUIRE(::mkfifo((scene.path / kName).c_str(), 0666) == 0);
  expect_nothing();
  sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
  const auto name = (scene.path / kName).string();
  if (name.size() < sizeof(address.sun_path)) {  // TMPDIR may be long
    const int socket = ::socket(AF_UNIX, SOCK_STREAM, 0);
    std::ranges::copy(name, std::begin(address.sun_path));
    REQUIRE(::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0);
    ::close(socket);
    expect_nothing();
  }
}

TEST_CASE("mailbox: a new file takes the place of a link, and nothing is written through it") {
  const Scene scene;
  put(scene.directory / "mine", "stays");
  fs::create_symlink(scene.directory / "mine", scene.path / kName);
  send(scene.mailbox, kName, "new");
  CHECK(text_of(scene.directory / "mine") == "stays");
  CHECK(scene.mailbox.has(kName));
  CHECK(text_of(scene.mailbox.open(kName).value().feed()) == "new");
}

TEST_CASE("mailbox: it tells how old a file is, by the clock of whoever wrote it") {
  using std::chrono::seconds;
  const Scene scene;
  send(scene.mailbox, kName, "x");
  for (const std::int64_t age : {0, 600, 86'400, -300}) {
    set_time(scene.path / kName, age);
    const auto file = scene.mailbox.open(kName);
    REQUIRE(file);
    CHECK(file->age() >= seconds(age));
    CHECK(file->age() < seconds(age + 60));
  }
}

TEST_CASE("mailbox: a file that is gone can be removed again") {
  const Scene scene;
  send(scene.mailbox, kName, "x");
  scene.mailbox.remove(kName);
  CHECK_FALSE(scene.mailbox.has(kName));
  CHECK_NOTHROW(scene.mailbox.remove(kName));
}

TEST_CASE("mailbox: what killed writers have left goes after a day, and nothing else does") {
  const Scene scene;
  constexpr std::int64_t kDay = 86'400;
  const auto put_old = [&](const std::string& name, std::int64_t age) {
    put(scene.path / name, "x");
    set_time(scene.path / name, age);
  };
  put_old(".tmp-" + kName, kDay + 60);
  put_old(".tmp-" + kOther, kDay - 60);
  put_old(".tmp-short", 2 * kDay);
  put_old("tmp-" + kName, 2 * kDay);
  put_old(kName, 100 * kDay);
  const auto link = ".tmp-" + box_text(BoxName{1});
  fs::create_symlink(kName, scene.path / link);
  set_time(scene.path / link, 2 * kDay);
  std::set stay{".tmp-" + kOther, std::string(".tmp-short"), "tmp-" + kName, kName, link};
  if (::geteuid() == 0) {
    const auto of_another = ".tmp-" + box_text(BoxName{2});
    put_old(of_another, 2 * kDay);
    REQUIRE(::chown((scene.path / of_another).c_str(), 65'534, 65'534) == 0);
    stay.insert(of_another);
  }
  scene.mailbox.remove_leftovers();
  CHECK(names_in(scene.path) == stay);
}

TEST_CASE("mailbox: to try it leaves nothing, also through a symbolic link") {
  const Scene scene;
  send(scene.mailbox, kName, "x");
  scene.mailbox.expect_usable();
  fs::create_directory_symlink(scene.path, scene.directory / "link");
  const Mailbox linked(scene.directory / "link");
  linked.expect_usable();
  linked.remove_leftovers();
  send(linked, kOther, "y");
  CHECK(names_in(scene.path) == std::set{kName, kOther});
}

TEST_CASE("mailbox: one that is not there is a matter of the configuration") {
  const Scene scene;
  const auto expect = [&](const fs::path& path, const std::string& what) {
    const Mailbox mailbox(path);
    const Error error{.code = Code::configuration,
                      .message = "the mailbox '" + path.string() + "' " + what +
                                 "; nothing was sent or fetched; rows wait for the next run",
                      .hint =
                          "correct its path (mailbox in abgleich.toml), mount it, or make it: "
                          "`mkdir " +
                          path.string() + "`"};
    CHECK(error_of([&] { mailbox.expect_usable(); }) == error);
    CHECK(error_of([&] { (void)mailbox.has(kName); }) == error);
    CHECK(error_of([&] { (void)mailbox.open(kName); }) == error);
    CHECK(error_of([&] { send(mailbox, kName, "x"); }) == error);
    CHECK(error_of([&] { mailbox.remove_leftovers(); }) == error);
  };
  expect(scene.path / "missing", "does not exist");
  put(scene.path / "file", "");
  expect(scene.path / "file", "is no directory");
  fs::create_symlink("loop", scene.path / "loop");
  expect(scene.path / "loop", "is no directory");
}

TEST_CASE("mailbox: missing rights are said, and the next run tries again") {
  const Scene scene;
  send(scene.mailbox, kName, "x");
  const auto hint =
      "this user has to be able to make files there, and to remove those of others: "
      "look at the rights with `ls -ld " +
      scene.path.string() + "`; a 't' at their end forbids the latter: `chmod -t " +
      scene.path.string() + "`";
  const auto expect = [&](const std::string& what, const std::function<void()>& act) {
    const auto error = without_privileges([&] {
      act();
      return std::string("nothing failed");
    });
    CHECK(error == Error{.code = Code::try_again,
                         .message = "the mailbox '" + scene.path.string() + "' cannot " + what,
                         .hint = hint});
  };
  REQUIRE(::chmod(scene.path.c_str(), 0555) == 0);
  const std::string unsent =
      "be written to: Permission denied; nothing was sent; rows wait for the next run";
  expect(unsent, [&] { send(scene.mailbox, kOther, "y"); });
  expect(unsent, [&] { scene.mailbox.expect_usable(); });
  expect("be cleared of what was fetched: Permission denied; the next run tries it again",
         [&] { scene.mailbox.remove(kName); });
  REQUIRE(::chmod(scene.path.c_str(), 0444) == 0);
  const std::string unread =
      "be read: Permission denied; nothing was fetched; rows wait there for the next run";
  expect(unread, [&] { (void)scene.mailbox.has(kName); });
  expect(unread, [&] { (void)scene.mailbox.open(kName); });
}

TEST_CASE("mailbox: where files of others cannot be removed, the sticky bit is named") {
  if (::geteuid() != 0) {
    MESSAGE("skipped: only the superuser can make files of two users");
    return;
  }
  const Scene scene;
  send(scene.mailbox, kName, "x");
  REQUIRE(::chmod(scene.path.c_str(), 01777) == 0);
  const auto error = without_privileges([&] {
    scene.mailbox.remove(kName);
    return std::string("nothing failed");
  });
  CHECK(error.code == Code::try_again);
  CHECK(error.message == "the mailbox '" + scene.path.string() +
                             "' cannot be cleared of what was fetched: Operation not permitted; "
                             "the next run tries it again");
  CHECK(error.hint.ends_with("`chmod -t " + scene.path.string() + "`"));
}

TEST_CASE("mailbox: a file that its sender has closed to others is named") {
  const Scene scene;
  send(scene.mailbox, kName, "x");
  const auto file = (scene.path / kName).string();
  REQUIRE(::chmod(file.c_str(), 0) == 0);
  const auto error = without_privileges([&] {
    (void)scene.mailbox.open(kName);
    return std::string("nothing failed");
  });
  CHECK(error == Error{.code = Code::try_again,
                       .message = "this user may not read '" + file +
                                  "' in the mailbox; nothing was fetched; rows wait there for the "
                                  "next run",
                       .hint = "whoever hosts the mailbox has to let this user read it: `ls -l " +
                               file + "`"});
}

TEST_CASE("mailbox: one that nobody may list is as good as any other") {
  const Scene scene;
  REQUIRE(::chmod(scene.path.c_str(), 0333) == 0);
  const auto error = without_privileges([&] {
    scene.mailbox.expect_usable();
    send(scene.mailbox, kName, "sent");
    scene.mailbox.remove_leftovers();
    const auto text = text_of(scene.mailbox.open(kName).value().feed());
    scene.mailbox.remove(kName);
    return text + (scene.mailbox.has(kName) ? "" : ", fetched, removed");
  });
  CHECK(error.message == "sent, fetched, removed");
  REQUIRE(::chmod(scene.path.c_str(), 0777) == 0);
  CHECK(names_in(scene.path).empty());
}

TEST_CASE("mailbox: a full disk is said, and leaves no half of a file") {
  const Scene scene;
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
  auto* const handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit small{.rlim_cur = 100'000, .rlim_max = before.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &small) == 0);
  const auto error = error_of([&] { send(scene.mailbox, kName, std::string(300'000, 'x')); });
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &before) == 0);
  (void)std::signal(SIGXFSZ, handler);
  CHECK(error.code == Code::out_of_space);
  CHECK(error.message == "the mailbox '" + scene.path.string() +
                             "' cannot be written to: File too large; nothing was sent; rows wait "
                             "for the next run");
  CHECK(names_in(scene.path).empty());
}

}  // namespace
}  // namespace abgleich::exchange
