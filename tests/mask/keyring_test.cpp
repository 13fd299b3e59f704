#include "mask/keyring.hpp"

#include "mask/known_keyring.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <csignal>
#include <numeric>
#include <set>
#include <span>
#include <string>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>
#include <vector>

namespace abgleich::mask {
namespace {

std::string hex(std::span<const std::uint8_t> bytes) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string text;
  for (const unsigned byte : bytes) {
    text += kHex[byte >> 4U];
    text += kHex[byte & 15U];
  }
  return text;
}

TEST_CASE("derived keys are those of schemas/pseudonyms.md") {
  const auto keyring = known_keyring();
  CHECK(keyring.epoch() == 1);
  CHECK(keyring.check_value() == "bad8466a51556835");
  CHECK(hex(SipKey(keyring.digest_key("person", "name"))) == "8f5bea9a1a1e2ee2c855ffeea45d9dd0");
  CHECK(hex(SipKey(keyring.purpose_key("fingerprint"))) == "59dbe424fe9ea30a6b6353c5d2d6b09d");
}

TEST_CASE("a domain has pseudonyms of its own, and everything else of the node") {
  const auto known = known_keyring();
  const auto domain = known.of_domain("aaaqeayeaudaocajbifqydiob4");
  CHECK(hex(domain.pseudonym_key("x").bytes()) ==
        "58a1df864063582d2221f507d304a2f9"
        "f227fc8af0d28072f98492aa60468385");
  CHECK(hex(domain.pseudonym_key("x").bytes()) != hex(known.pseudonym_key("x").bytes()));
  CHECK(hex(domain.shift_key("x").bytes()) == hex(known.shift_key("x").bytes()));
  CHECK(domain.digest_key("t", "c") == known.digest_key("t", "c"));
  CHECK(domain.check_value() != known.check_value());
  const auto rotated = Keyring::parse(counting_key_text(2, 0), "k");
  CHECK(hex(rotated.of_domain("a").until(1).pseudonym_key("x").bytes()) ==
        hex(rotated.until(1).of_domain("a").pseudonym_key("x").bytes()));
}

TEST_CASE("keys of different purposes, tables and columns differ") {
  const auto keyring = known_keyring();
  std::set<SipKey> keys{keyring.digest_key("person", "name"), keyring.digest_key("person", "id"),
                        keyring.digest_key("case", "name"),   keyring.digest_key("personname", ""),
                        keyring.digest_key("", "personname"), keyring.purpose_key("fingerprint"),
                        keyring.purpose_key("conflict-id"),   keyring.purpose_key("")};
  CHECK(keys.size() == 8);
}

TEST_CASE("pseudonyms and digests come from separate roots") {
  std::vector<std::uint8_t> roots(kEpochSize);
  std::iota(roots.begin(), roots.end(), std::uint8_t{0});
  roots[kRootSize] ^= 1;  // the first byte of the root for digests
  const auto changed_text = key_text(roots);
  const auto changed = Keyring::parse(
      {reinterpret_cast<const char*>(changed_text.bytes().data()), changed_text.bytes().size()},
      "changed");
  const auto known = known_keyring();
  CHECK(changed.digest_key("t", "c") != known.digest_key("t", "c"));
  CHECK(std::ranges::equal(changed.pseudonym_key("x").bytes(), known.pseudonym_key("x").bytes()));
  CHECK(changed.check_value() != known.check_value());
}

TEST_CASE("the check value tells keyrings apart in any of their roots, and only that") {
  std::set<std::string> values;
  for (std::uint8_t first = 0; first < 100; ++first) {
    values.insert(Keyring::parse(counting_key_text(1, first), "k").check_value());
  }
  values.insert(Keyring::parse(counting_key_text(2, 0), "k").check_value());
  CHECK(values.size() == 101);
  CHECK(values.begin()->size() == 16);
  CHECK(known_keyring().check_value() == known_keyring().check_value());
}

TEST_CASE("the last epoch is the one that new keys are made in") {
  const auto one = Keyring::parse(counting_key_text(1, 0), "k");
  const auto two = Keyring::parse(counting_key_text(2, 0), "k");
  CHECK(two.epoch() == 2);
  CHECK(one.digest_key("t", "c") != two.digest_key("t", "c"));
  CHECK_FALSE(std::ranges::equal(one.pseudonym_key("x").bytes(), two.pseudonym_key("x").bytes()));
}

TEST_CASE("a keyring can be moved") {
  auto keyring = known_keyring();
  const auto moved = std::move(keyring);
  CHECK(moved.check_value() == "bad8466a51556835");
  auto other = other_keyring();
  CHECK(other.check_value() != moved.check_value());
  other = known_keyring();
  CHECK(other.check_value() == moved.check_value());
}

TEST_CASE("a protected process leaves no core dump and cannot be traced") {
  // in a child: there is no way back
  const auto child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    protect_process();
    rlimit limit{.rlim_cur = 1, .rlim_max = 1};
    const bool good = ::prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0 &&
                      ::getrlimit(RLIMIT_CORE, &limit) == 0 && limit.rlim_cur == 0 &&
                      limit.rlim_max == 0;
    ::_exit(good ? 0 : 1);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
}

TEST_CASE("sealed memory cannot be written to") {
  const auto child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    const rlimit none{.rlim_cur = 0, .rlim_max = 0};
    ::setrlimit(RLIMIT_CORE, &none);
    ::signal(SIGSEGV, SIG_DFL);
    LockedMemory memory(32);
    memory.bytes()[0] = 1;
    memory.seal();
    *const_cast<volatile std::uint8_t*>(memory.bytes().data()) = 2;
    ::_exit(0);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(WIFSIGNALED(status));
}

}  // namespace
}  // namespace abgleich::mask
