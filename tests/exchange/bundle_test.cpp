#include "core/error.hpp"
#include "core/hex.hpp"
#include "exchange/bundles.hpp"
#include "support/program.hpp"

#include <doctest/doctest.h>

#include <bit>
#include <fstream>
#include <random>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

namespace abgleich::exchange {
namespace {

using namespace std::string_literals;
using What = Record::What;

/// What age adds to so many bytes: its header for one recipient, a nonce, and a tag for each chunk.
constexpr std::size_t overhead(std::size_t plain) {
  constexpr std::size_t kHeader = 22 + 54 + 44 + 48;  // its four lines
  constexpr std::size_t kNonce = 16;
  return kHeader + kNonce + (plain + seal::kChunkSize - 1) / seal::kChunkSize * seal::kTagSize;
}

TEST_CASE("bundle: every kind of value arrives as it was sent, with the manifest") {
  const Way way;
  const auto records = some_records();
  const auto manifest = counted(manifest_of(way, two_tables()), records);
  const auto file = written(way.from, way.grant.recipient(), manifest, records);
  BundleReader reader(way.grant, way.from.card(), way.to.card().id, kBox, open_of(file));
  CHECK(manifest_text(reader.manifest()) == manifest_text(manifest));
  std::vector<Record> read;
  reader.read([&](const Record& record) { read.push_back(record); });
  CHECK(read == records);
}

TEST_CASE("bundle: many rows arrive in their order, and a long value whole") {
  const Way way;
  std::mt19937_64 random(1);
  std::vector<Record> records;
  for (int i = 0; i < 20'000; ++i) {
    std::string name = std::to_string(i) + " ";
    for (int n = 0; n < 4; ++n) {
      name += std::to_string(random());
    }
    records.push_back({What::row, 0, {{Kind::text, name}}});
  }
  std::string long_value;
  while (long_value.size() < 1'000'000) {
    long_value += std::to_string(random());
  }
  records.push_back({What::row, 0, {{Kind::bytes, long_value}}});
  const auto file =
      written(way.from, way.grant.recipient(), names_of(way, records.size()), records);
  CHECK(file.size() > 8 * seal::kChunkSize);
  const auto read = got(way, file);
  CHECK_FALSE(read.why);
  CHECK(read.records == records);
}

TEST_CASE("bundle: without rows it is a heartbeat; a hello is sealed to the key of the card") {
  const Way way;
  const auto file =
      written(way.from, way.grant.recipient(), manifest_of(way, {}, Message::Rows::none), {});
  const auto read = got(way, file);
  CHECK_FALSE(read.why);
  CHECK(read.records.empty());

  auto manifest = manifest_of(way, {}, Message::Rows::none);
  manifest.box.reset();
  const auto hello = written(way.from, way.to.card().seals, manifest, {});
  BundleReader reader(way.to.seals(), way.from.card(), way.to.card().id, std::nullopt,
                      open_of(hello));
  reader.read([](const Record&) { FAIL("a record in a hello"); });
  CHECK_FALSE(reader.manifest().box);
}

TEST_CASE("bundle: its size is a power of two, with what age adds, and so tells little") {
  const Way way;
  const auto size_of = [&](std::size_t bytes) {
    // what zstd cannot make shorter
    std::mt19937_64 random(2);
    std::string value(bytes, '\0');
    for (auto& c : value) {
      c = static_cast<char>(random());
    }
    return written(way.from, way.grant.recipient(), names_of(way, 1),
                   {{What::row, 0, {{Kind::bytes, value}}}})
        .size();
  };
  constexpr std::size_t kLeast = 65'536;
  CHECK(size_of(0) == kLeast + overhead(kLeast));
  CHECK(size_of(64'000) == kLeast + overhead(kLeast));
  CHECK(size_of(65'536) == 2 * kLeast + overhead(2 * kLeast));
  CHECK(size_of(200'000) == 4 * kLeast + overhead(4 * kLeast));
  // the smallest value that needs the next power, byte by byte
  std::set<std::size_t> sizes;
  for (std::size_t bytes = 64'900; bytes < 65'100; bytes += 10) {
    sizes.insert(size_of(bytes));
  }
  CHECK(sizes ==
        std::set<std::size_t>{kLeast + overhead(kLeast), 2 * kLeast + overhead(2 * kLeast)});
}

TEST_CASE("bundle: what the caller throws comes through") {
  struct Mine : std::runtime_error {
    using std::runtime_error::runtime_error;
  };
  const Way way;
  const auto file = some_bundle(way);
  const auto broken = [](std::span<std::uint8_t>) -> std::size_t { throw Mine("feed"); };
  CHECK_THROWS_AS(BundleReader(way.grant, way.from.card(), way.to.card().id, kBox,
                               [&] { return seal::Feed(broken); }),
                  Mine);
  BundleReader reader(way.grant, way.from.card(), way.to.card().id, kBox, open_of(file));
  CHECK_THROWS_AS(reader.read([](const Record&) { throw Mine("record"); }), Mine);
  CHECK_THROWS_AS(
      BundleWriter(way.from, way.grant.recipient(), manifest_of(way, {}, Message::Rows::none),
                   [](std::span<const std::uint8_t>) { throw Mine("sink"); }),
      Mine);
}

TEST_CASE("bundle: what no reader would take is not written, and nothing of it") {
  const Way way;
  std::string file;
  const auto code = [&](const Manifest& manifest) {
    try {
      BundleWriter(way.from, way.grant.recipient(), manifest,
                   [&](std::span<const std::uint8_t> bytes) {
                     file.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
                   })
          .finish();
      return Code::done;
    } catch (const Failure& failure) {
      CHECK((failure.error().code == Code::bug || !failure.error().hint.empty()));
      return failure.error().code;
    }
  };
  auto manifest = names_of(way, 0);
  manifest.from = {1};
  CHECK(code(manifest) == Code::bug);
  manifest = names_of(way, 0);
  ++manifest.serial;
  CHECK(code(manifest) == Code::bug);
  manifest = names_of(way, 0);
  manifest.box.reset();
  CHECK(code(manifest) == Code::bug);
  manifest = names_of(way, 0);
  manifest.tables[0].name = "abgleich_run";
  CHECK(code(manifest) == Code::configuration);
  manifest = names_of(way, 0);
  for (int i = 0; i < 999; ++i) {
    manifest.tables.push_back({.name = "t" + std::to_string(i)});
    for (int n = 0; n < 20; ++n) {
      manifest.tables.back().columns.push_back(
          {.name = std::string(250, 'x') + std::to_string(n), .in_key = true});
    }
  }
  CHECK(code(manifest) == Code::configuration);  // more than 4 MiB
  CHECK(file.empty());
  CHECK(code(names_of(way, 1)) == Code::bug);
  CHECK(code(names_of(way, 0)) == Code::done);
}

// ---- the page ----------------------------------------------------------------------------------

/// A paragraph of the page with its lines joined; 0 is the last one.
std::string paragraph_from_end(std::size_t number) {
  const auto all = paragraphs_of_page("bundle.md");
  auto text = all.at(all.size() - 1 - number);
  std::erase(text, '\n');
  return text;
}

std::string bytes_from_hex(const std::string& text) {
  std::vector<std::uint8_t> bytes(text.size() / 2);
  REQUIRE(read_hex(text, bytes));
  return {bytes.begin(), bytes.end()};
}

TEST_CASE("bundle: the one on the page is made of what stands there, and is read so") {
  const Way way;
  const auto manifest = paragraph_from_end(3);
  const auto frame = bytes_from_hex(paragraph_from_end(2));
  const auto plain = filled_up(front_of(manifest) + frame);
  const auto hash = seal::hash_of(plain);
  CHECK(hex(hash) == paragraph_from_end(1));
  CHECK(hex(way.from.signs().sign("abgleich.bundle/1 signature\n", hash)) == paragraph_from_end(0));

  PeerId us{};
  BoxName box{};
  for (std::size_t i = 0; i < us.size(); ++i) {
    us.at(i) = static_cast<std::uint8_t>(0xf0 + i);
    box.at(i) = static_cast<std::uint8_t>(0x60 + i);
  }
  const auto file = signed_and_sealed(way, plain);
  BundleReader reader(way.grant, way.from.card(), us, box, open_of(file));
  std::vector<Record> records;
  reader.read([&](const Record& record) { records.push_back(record); });
  CHECK(records ==
        std::vector<Record>{{What::row, 0, {{Kind::integer, "42"}, {Kind::text, "Grüße"}, {}}},
                            {What::gone, 0, {{Kind::integer, "-7"}}}});

  // written, it is the same but for the frame, which the library may compress as it likes
  CHECK(manifest_text(reader.manifest()) == manifest);
  const auto again =
      plain_of(way, written(way.from, way.grant.recipient(), reader.manifest(), records));
  CHECK(again.starts_with(front_of(manifest)));
  CHECK(again.size() == plain.size());
}

// ---- other programs --------------------------------------------------------------------------

void write_file(const std::filesystem::path& path, std::string_view text) {
  std::ofstream(path, std::ios::binary) << text;
}

std::string text_of_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

TEST_CASE("bundle: Debian's age opens it, and openssl verifies its signature") {
  REQUIRE_MESSAGE(std::filesystem::exists("/usr/bin/age"), "apt-get install age");
  REQUIRE_MESSAGE(std::filesystem::exists("/usr/bin/openssl"), "apt-get install openssl");
  const test::TemporaryDirectory directory;
  const auto file = [&](const char* name) { return (directory / name).string(); };
  const Way way;
  const auto bundle = some_bundle(way);
  std::array<char, seal::Identity::kTextSize> key{};
  way.grant.write_text(key);
  write_file(file("key"), std::string(key.data(), key.size()) + "\n");
  write_file(file("bundle"), bundle);
  const auto open = test::run_program(
      {"/usr/bin/age", "--decrypt", "-i", file("key"), "-o", file("plain"), file("bundle")});
  REQUIRE_MESSAGE(open.exit == 0, open.err);
  const auto plain = text_of_file(file("plain"));
  CHECK(plain == seal::opened(way.grant, bundle));
  CHECK(std::has_single_bit(plain.size()));

  const auto signed_part = plain.substr(0, plain.size() - 64);
  const auto hash = seal::hash_of(signed_part);
  const auto& signs = way.from.card().signs;
  // RFC 8410: what stands before the 32 bytes of a public key in DER
  write_file(file("public"),
             "\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00"s +
                 std::string(reinterpret_cast<const char*>(signs.data()), signs.size()));
  write_file(file("message"),
             "abgleich.bundle/1 signature\n" +
                 std::string(reinterpret_cast<const char*>(hash.data()), hash.size()));
  write_file(file("signature"), plain.substr(plain.size() - 64));
  const auto verified = test::run_program({"/usr/bin/openssl", "pkeyutl", "-verify", "-pubin",
                                           "-keyform", "DER", "-inkey", file("public"), "-rawin",
                                           "-in", file("message"), "-sigfile", file("signature")});
  CHECK_MESSAGE(verified.exit == 0, verified.err);
}

}  // namespace
}  // namespace abgleich::exchange
