// The published vectors of age (tests/seal/age/README.md), each with the outcome that it names.
#include "seal/sealed.hpp"
#include "seal/signature.hpp"
#include "support/places.hpp"

#include <doctest/doctest.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <stdexcept>
#include <zlib.h>

namespace abgleich::seal {
namespace {

namespace fs = std::filesystem;

std::string inflated(const std::string& compressed) {
  z_stream stream{};
  REQUIRE(inflateInit(&stream) == Z_OK);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(compressed.data()));
  stream.avail_in = static_cast<uInt>(compressed.size());
  std::string text;
  int result = Z_OK;
  while (result == Z_OK) {
    std::array<char, 65'536> buffer{};
    stream.next_out = reinterpret_cast<Bytef*>(buffer.data());
    stream.avail_out = buffer.size();
    result = inflate(&stream, Z_NO_FLUSH);
    text.append(buffer.data(), buffer.size() - stream.avail_out);
  }
  inflateEnd(&stream);
  REQUIRE(result == Z_STREAM_END);
  return text;
}

struct Vector {
  std::multimap<std::string, std::string> lines;
  std::string file;

  [[nodiscard]] std::string line(const std::string& word) const {
    const auto found = lines.find(word);
    return found == lines.end() ? std::string() : found->second;
  }
};

Vector read_vector(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  Vector vector;
  std::string line;
  while (std::getline(in, line) && !line.empty()) {
    const auto colon = line.find(": ");
    REQUIRE(colon != std::string::npos);
    vector.lines.emplace(line.substr(0, colon), line.substr(colon + 2));
  }
  vector.file.assign(std::istreambuf_iterator<char>(in), {});
  if (vector.line("compressed") == "zlib") {
    vector.file = inflated(vector.file);
  }
  return vector;
}

std::string sha256(std::string_view text) {
  std::array<std::uint8_t, crypto_hash_sha256_BYTES> hash{};
  crypto_hash_sha256(hash.data(), bytes_of(text).data(), text.size());
  std::string hex(2 * hash.size() + 1, '\0');
  sodium_bin2hex(hex.data(), hex.size(), hash.data(), hash.size());
  hex.pop_back();
  return hex;
}

std::string name_of(Unopened::Why why) {
  switch (why) {
    case Unopened::Why::malformed:
      return "header failure";
    case Unopened::Why::others:
      return "no match";
    case Unopened::Why::header:
      return "HMAC failure";
    case Unopened::Why::payload:
      return "payload failure";
  }
  throw std::logic_error("no such reason");
}

struct Came {
  std::string outcome;
  std::string payload;
};

Came outcome_of(const Vector& vector, Recipients recipients) {
  const auto text = vector.line("identity");
  const auto identity =
      text.empty() ? std::optional(Identity::generate()) : Identity::from_text(text);
  REQUIRE(identity);
  Came came;
  try {
    open(*identity, recipients, vector.file, came.payload);
    came.outcome = "success";
  } catch (const Unopened& unopened) {
    came.outcome = name_of(unopened.why());
  }
  return came;
}

TEST_CASE("age: every published vector has the outcome that it names") {
  std::map<std::string, int> outcomes;
  for (const auto& entry : fs::directory_iterator(fs::path(test::kSourceTree) / "tests/seal/age")) {
    if (entry.path().extension() == ".md") {
      continue;
    }
    CAPTURE(entry.path().filename().string());
    const auto vector = read_vector(entry.path());
    REQUIRE(vector.lines.count("identity") <= 1);
    const auto [outcome, payload] = outcome_of(vector, Recipients::several);
    // armor is nothing that we read
    const auto expected =
        vector.line("armored") == "yes" ? "header failure" : vector.line("expect");
    CHECK(outcome == expected);
    ++outcomes[outcome];
    // what was handed out before the damage is what stands there
    if (outcome == "success" ||
        (outcome == "payload failure" && vector.lines.contains("payload"))) {
      CHECK(sha256(payload) == vector.line("payload"));
    } else {
      CHECK(payload.empty());
    }
  }
  CHECK(outcomes["success"] >= 12);
  CHECK(outcomes["header failure"] >= 25);
  CHECK(outcomes["no match"] >= 2);
  CHECK(outcomes["HMAC failure"] == 1);
  CHECK(outcomes["payload failure"] >= 15);
}

TEST_CASE("age: where one recipient is expected, the vectors with several stanzas are refused") {
  std::set<std::string> refused;
  for (const auto& entry : fs::directory_iterator(fs::path(test::kSourceTree) / "tests/seal/age")) {
    if (entry.path().extension() == ".md") {
      continue;
    }
    CAPTURE(entry.path().filename().string());
    const auto vector = read_vector(entry.path());
    const auto several = outcome_of(vector, Recipients::several).outcome;
    const auto one = outcome_of(vector, Recipients::one).outcome;
    if (several != one) {
      CHECK(one == "header failure");
      refused.insert(entry.path().filename().string());
    }
  }
  CHECK(refused.contains("x25519_multiple_recipients"));
  CHECK(refused.contains("x25519_grease"));
  CHECK(refused.size() < 12);
}

}  // namespace
}  // namespace abgleich::seal
