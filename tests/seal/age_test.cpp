// Writing and reading age files, against each other; age_program_test.cpp has age itself.
#include "core/error.hpp"
#include "seal/age_header.hpp"
#include "seal/padding.hpp"
#include "seal/sealed.hpp"

#include <doctest/doctest.h>

#include <array>
#include <optional>

namespace abgleich::seal {
namespace {

/// Why the file does not open; empty: it does.
std::optional<Unopened::Why> why_not(const Identity& identity, std::string_view file,
                                     Recipients recipients = Recipients::one) {
  try {
    (void)opened(identity, file, recipients);
    return std::nullopt;
  } catch (const Unopened& unopened) {
    return unopened.why();
  }
}

std::string text_of_size(std::size_t size) {
  std::string text(size, '\0');
  for (std::size_t i = 0; i < size; ++i) {
    text[i] = static_cast<char>(i * 131 + i / 251);
  }
  return text;
}

TEST_CASE("age: what is sealed opens again, of every size around a chunk") {
  const auto identity = Identity::generate();
  const std::vector<Recipient> recipients{identity.recipient()};
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{63}, kChunkSize - 1,
                                 kChunkSize, kChunkSize + 1, 3 * kChunkSize, 3 * kChunkSize + 5}) {
    CAPTURE(size);
    const auto text = text_of_size(size);
    const auto file = sealed(recipients, text);
    CHECK(opened(identity, file) == text);
    // chunks of 64 KiB, each with a tag; a full last one is not followed by an empty one
    const auto chunks = size == 0 ? 1 : (size + kChunkSize - 1) / kChunkSize;
    const auto header = parse_age_header(file);
    CHECK(file.size() == header.size + 16 + size + chunks * kTagSize);
  }
}

TEST_CASE("age: however the bytes come, they are the same") {
  const auto identity = Identity::generate();
  const std::vector<Recipient> recipients{identity.recipient()};
  const auto text = text_of_size(2 * kChunkSize + 100);
  std::string file;
  AgeWriter writer(recipients, [&](std::span<const std::uint8_t> bytes) {
    CHECK(bytes.size() <= kSealedChunkSize);
    file.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  });
  for (std::size_t at = 0, step = 1; at < text.size(); at += step, step = step * 3 % 40'009 + 1) {
    writer.add(bytes_of(std::string_view(text).substr(at, step)));
  }
  writer.finish();
  for (const std::size_t step : {1UL, 7UL, 4096UL, 65'536UL, 65'553UL}) {
    CHECK(opened(identity, file, Recipients::one, step) == text);
  }
}

TEST_CASE("age: two files of one text have nothing in common") {
  const auto identity = Identity::generate();
  const std::vector<Recipient> recipients{identity.recipient()};
  const auto one = sealed(recipients, text_of_size(200));
  const auto other = sealed(recipients, text_of_size(200));
  REQUIRE(one.size() == other.size());
  std::size_t same = 0;
  const auto from = parse_age_header(one).size;
  for (auto i = from; i < one.size(); ++i) {
    same += one[i] == other[i] ? 1U : 0U;
  }
  CHECK(same < 20);  // of 232 random bytes, one is expected
  CHECK(parse_age_header(one).stanzas != parse_age_header(other).stanzas);
}

TEST_CASE("age: several recipients open it, and a reader that expects one refuses all of it") {
  const auto one = Identity::generate();
  const auto other = Identity::generate();
  const auto stranger = Identity::generate();
  const std::array recipients{one.recipient(), other.recipient()};
  const auto file = sealed(recipients, "for two");
  CHECK(opened(one, file, Recipients::several) == "for two");
  CHECK(opened(other, file, Recipients::several) == "for two");
  CHECK(why_not(stranger, file, Recipients::several) == Unopened::Why::others);
  CHECK(why_not(one, file) == Unopened::Why::malformed);
  const std::vector<Recipient> alone{one.recipient()};
  CHECK(why_not(other, sealed(alone, "for one")) == Unopened::Why::others);
}

TEST_CASE("age: damage at any byte, a cut anywhere and a byte more are noticed") {
  const auto identity = Identity::generate();
  const std::vector<Recipient> recipients{identity.recipient()};
  const auto file = sealed(recipients, "a small file");
  REQUIRE_FALSE(why_not(identity, file));
  for (std::size_t at = 0; at < file.size(); ++at) {
    CAPTURE(at);
    for (const unsigned flip : {0x01U, 0x20U, 0x80U, 0xffU}) {
      auto damaged = file;
      damaged[at] = static_cast<char>(static_cast<unsigned char>(damaged[at]) ^ flip);
      CHECK(why_not(identity, damaged));
    }
    CHECK(why_not(identity, std::string_view(file).substr(0, at)));
    auto longer = file;
    longer.insert(at, 1, 'x');
    CHECK(why_not(identity, longer));
  }
  CHECK(why_not(identity, file + "x"));
}

TEST_CASE("age: chunks that are moved, dropped or repeated are noticed, and nothing behind them") {
  const auto identity = Identity::generate();
  const std::vector<Recipient> recipients{identity.recipient()};
  const auto text = text_of_size(3 * kChunkSize);
  const auto file = sealed(recipients, text);
  const auto front = file.size() - 3 * kSealedChunkSize;
  const auto chunk = [&](std::size_t number) {
    return file.substr(front + number * kSealedChunkSize, kSealedChunkSize);
  };
  const auto head = file.substr(0, front);
  struct Case {
    std::string file;
    std::size_t released;
  };
  for (const auto& [changed, released] : {Case{head + chunk(0) + chunk(1), 2 * kChunkSize},
                                          Case{head + chunk(0) + chunk(2), kChunkSize},
                                          Case{head + chunk(1) + chunk(0) + chunk(2), 0},
                                          Case{head + chunk(0) + chunk(0) + chunk(2), kChunkSize},
                                          Case{file + chunk(2), 3 * kChunkSize}, Case{head, 0}}) {
    std::string got;
    auto why = Unopened::Why::malformed;
    try {
      open(identity, Recipients::one, changed, got);
      FAIL_CHECK("it opened");
    } catch (const Unopened& unopened) {
      why = unopened.why();
    }
    CHECK(why == Unopened::Why::payload);
    CHECK(got == text.substr(0, released));
  }
}

TEST_CASE("age: what was not finished opens for nobody") {
  const auto identity = Identity::generate();
  const std::vector<Recipient> recipients{identity.recipient()};
  std::string file;
  {
    AgeWriter writer(recipients, [&](std::span<const std::uint8_t> bytes) {
      file.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    });
    writer.add(bytes_of(text_of_size(2 * kChunkSize)));
  }
  CHECK(why_not(identity, file) == Unopened::Why::payload);
}

TEST_CASE("age: a header without an end is not read for ever") {
  std::size_t asked = 0;
  const auto identity = Identity::generate();
  const Feed feed = [&](std::span<std::uint8_t> out) {
    std::ranges::fill(out, std::uint8_t{'\n'});
    asked += out.size();
    return out.size();
  };
  CHECK_THROWS_AS(AgeReader(identity, Recipients::one, feed), Unopened);
  CHECK(asked <= kMostHeader);
}

TEST_CASE("age: a recipient that shares no secret is refused") {
  const std::array<Recipient, 1> zeros{};
  CHECK_THROWS_AS(sealed(zeros, "x"), Failure);
}

TEST_CASE("padding: the next power of two, and 64 KiB at least") {
  CHECK(padded_size(0) == 65'536);
  CHECK(padded_size(65'535) == 65'536);
  CHECK(padded_size(65'536) == 65'536);
  CHECK(padded_size(65'537) == 131'072);
  CHECK(padded_size(1'000'000) == 1'048'576);
  CHECK(padded_size((std::uint64_t{1} << 40U) + 1) == std::uint64_t{1} << 41U);
  static_assert(kLeastPadded % kChunkSize == 0);  // so that every chunk is full
}

}  // namespace
}  // namespace abgleich::seal
