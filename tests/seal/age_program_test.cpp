// Debian's `age` opens what we seal, and seals what we open.
#include "seal/sealed.hpp"
#include "support/program.hpp"
#include "support/temporary_directory.hpp"

#include <doctest/doctest.h>

#include <array>
#include <fstream>

namespace abgleich::seal {
namespace {

constexpr const char* kAge = "/usr/bin/age";

void write(const std::filesystem::path& path, std::string_view text) {
  std::ofstream(path, std::ios::binary) << text;
}

std::string content(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::string text_of(const Identity& identity) {
  std::array<char, Identity::kTextSize> text{};
  identity.write_text(text);
  return {text.data(), text.size()};
}

TEST_CASE("age: Debian's program opens ours and seals for us") {
  REQUIRE_MESSAGE(std::filesystem::exists(kAge), "apt-get install age");
  const test::TemporaryDirectory directory;
  const auto identity = Identity::generate();
  const auto other = Identity::generate();
  write(directory / "key", text_of(identity) + "\n");
  for (const std::size_t size : {0UL, 1UL, 65'535UL, 65'536UL, 65'537UL, 300'000UL}) {
    CAPTURE(size);
    std::string text(size, '\0');
    for (std::size_t i = 0; i < size; ++i) {
      text[i] = static_cast<char>(i * 7 + i / 256);
    }
    const std::array recipients{other.recipient(), identity.recipient()};
    write(directory / "ours", sealed(recipients, text));
    const auto open =
        test::run_program({kAge, "--decrypt", "-i", (directory / "key").string(), "-o",
                           (directory / "plain").string(), (directory / "ours").string()});
    CHECK_MESSAGE(open.exit == 0, open.err);
    CHECK(content(directory / "plain") == text);

    write(directory / "plain", text);  // age makes no file where nothing is in it
    const auto seal =
        test::run_program({kAge, "--encrypt", "-r", recipient_text(identity.recipient()), "-o",
                           (directory / "theirs").string(), (directory / "plain").string()});
    CHECK_MESSAGE(seal.exit == 0, seal.err);
    CHECK(opened(identity, content(directory / "theirs"), Recipients::several) == text);
  }
}

TEST_CASE("age: Debian's program makes keys that we read, and reads ours") {
  const test::TemporaryDirectory directory;
  const auto made = test::run_program({"/usr/bin/age-keygen", "-o", (directory / "key").string()});
  REQUIRE_MESSAGE(made.exit == 0, made.err);
  const auto text = content(directory / "key");
  const auto identity = Identity::from_text(
      std::string_view(text).substr(text.find("AGE-SECRET-KEY-1"), Identity::kTextSize));
  REQUIRE(identity);
  CHECK(text.find("# public key: " + recipient_text(identity->recipient())) != std::string::npos);

  write(directory / "ours", text_of(Identity::generate()) + "\n");
  const auto ours = Identity::from_text(content(directory / "ours").substr(0, Identity::kTextSize));
  const auto read = test::run_program({"/usr/bin/age-keygen", "-y", (directory / "ours").string()});
  CHECK_MESSAGE(read.exit == 0, read.err);
  CHECK(read.out == recipient_text(ours->recipient()) + "\n");
}

}  // namespace
}  // namespace abgleich::seal
