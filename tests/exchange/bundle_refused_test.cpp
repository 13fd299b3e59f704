// What of a bundle is refused, and why: whatever a stranger or a peer writes.
#include "exchange/bundles.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <vector>
#include <zstd.h>

namespace abgleich::exchange {
namespace {

using namespace std::string_literals;
using Why = NotApplied::Why;
using What = Record::What;

/// A signed bundle of `names_of` one row, with this in the place of its frame.
Got got_with_frame(const Way& way, const std::string& frame, std::uint64_t rows = 1) {
  return got(
      way, signed_and_sealed(way, filled_up(front_of(manifest_text(names_of(way, rows))) + frame)));
}

const std::string kOneName = "T\0\0"s + name_row("x") + "E";

TEST_CASE("bundle: damage at any byte of the file, a cut anywhere and a byte more are refused") {
  const Way way;
  const auto file = some_bundle(way);
  REQUIRE_FALSE(got(way, file).why);
  // each byte of the header, then some, then the last tag
  for (std::size_t at = 0; at < file.size(); at += at < 220 || at + 20 > file.size() ? 1 : 1'009) {
    CAPTURE(at);
    auto damaged = file;
    damaged[at] = static_cast<char>(static_cast<unsigned char>(damaged[at]) ^ 1U);
    CHECK(got(way, damaged).why == Why::altered);
    CHECK(got(way, file.substr(0, at)).why == Why::altered);
  }
  CHECK(got(way, file + "x").why == Why::altered);
  CHECK(got(way, file + file).why == Why::altered);
  CHECK(got(way, file.substr(1)).why == Why::altered);
}

TEST_CASE("bundle: whoever has only the box's key can change no byte of what is sealed") {
  const Way way;
  const auto plain = seal::opened(way.grant, some_bundle(way));
  const auto resealed = [&](const std::string& text) {
    return got(way, seal::sealed(std::span(&way.grant.recipient(), 1), text)).why;
  };
  REQUIRE_FALSE(resealed(plain));
  std::size_t step = 1;
  for (std::size_t at = 0; at < plain.size(); at += step) {
    CAPTURE(at);
    auto changed = plain;
    changed[at] = static_cast<char>(static_cast<unsigned char>(changed[at]) ^ 0x80U);
    CHECK(resealed(changed) == Why::altered);
    step = at < 24 || at + 70 > plain.size() ? 1 : at < 1'500 ? 23 : 4'001;
  }
  CHECK(resealed(plain + "\0"s) == Why::altered);
  CHECK(resealed(plain.substr(1)) == Why::altered);
  CHECK(resealed(plain.substr(0, plain.size() - 1)) == Why::altered);
  CHECK(resealed("") == Why::altered);
  CHECK(resealed(std::string(63, 'x')) == Why::altered);
  CHECK(resealed(std::string(64, '\0')) == Why::altered);
}

TEST_CASE("bundle: a signature of another node, or for another purpose, is none") {
  const Way way;
  const auto plain = plain_of(way, some_bundle(way));
  CHECK_FALSE(got(way, signed_and_sealed(way, plain)).why);
  CHECK(got(way, signed_and_sealed(way, plain, way.to.signs())).why == Why::altered);
  CHECK(got(way, signed_and_sealed(way, plain, way.from.signs(), "abgleich.card/1 signature\n"))
            .why == Why::altered);
  CHECK(got(way, signed_and_sealed(way, "")).why == Why::altered);
  CHECK(got(way, signed_and_sealed(way, filled_up("abgleich.bundle/2\n"))).why == Why::altered);
  CHECK(got(way, signed_and_sealed(way, filled_up(plain.substr(1)))).why == Why::altered);
}

TEST_CASE("bundle: nothing is parsed before the signature is checked") {
  const Way way;
  // would be `too_large`
  const auto plain = filled_up("abgleich.bundle/1\n\xff\xff\xff\xff");
  CHECK(got(way, signed_and_sealed(way, plain, way.to.signs())).why == Why::altered);
  CHECK(got(way, signed_and_sealed(way, plain)).why == Why::too_large);
}

TEST_CASE("bundle: one for another node, box or key, or from another node, is not for us") {
  const Way way;
  const auto why_with = [&](auto change, const std::optional<BoxName>& box = kBox) {
    auto manifest = manifest_of(way, {}, Message::Rows::none);
    change(manifest);
    const auto file =
        signed_and_sealed(way, filled_up(front_of(manifest_text(manifest)) + frame_of("E")));
    try {
      BundleReader(way.grant, way.from.card(), way.to.card().id, box, open_of(file))
          .read([](const Record&) {});
    } catch (const NotApplied& refused) {
      return std::optional(refused.why());
    }
    return std::optional<Why>();
  };
  CHECK_FALSE(why_with([](Manifest&) {}));
  CHECK(why_with([](Manifest& manifest) { manifest.to = {1}; }) == Why::not_for_us);
  CHECK(why_with([&](Manifest& manifest) { manifest.to = manifest.from; }) == Why::not_for_us);
  CHECK(why_with([](Manifest& manifest) { manifest.from = {1}; }) == Why::not_for_us);
  CHECK(why_with([](Manifest& manifest) { ++manifest.serial; }) == Why::not_for_us);
  CHECK(why_with([](Manifest& manifest) { manifest.box = BoxName{4}; }) == Why::not_for_us);
  CHECK(why_with([](Manifest& manifest) { manifest.box.reset(); }) == Why::not_for_us);
  CHECK(why_with([](Manifest&) {}, std::nullopt) == Why::not_for_us);
  CHECK_FALSE(why_with([](Manifest& manifest) { manifest.box.reset(); }, std::nullopt));
}

TEST_CASE("bundle: sealed to another box, to several, or to nobody's key, it does not open") {
  const Way way;
  const auto other = seal::Identity::generate();
  const auto plain = seal::opened(way.grant, some_bundle(way));
  CHECK(got(way, seal::sealed(std::span(&other.recipient(), 1), plain)).why == Why::altered);
  const std::array both{way.grant.recipient(), other.recipient()};
  CHECK(got(way, seal::sealed(both, plain)).why == Why::altered);
  CHECK(got(way, plain).why == Why::altered);
  CHECK(got(way, "").why == Why::altered);
}

TEST_CASE("bundle: a later format is told as such, if the peer has signed it") {
  const Way way;
  const auto file = signed_and_sealed(way, filled_up(front_of(R"({"format":2})") + "new"));
  CHECK(got(way, file).why == Why::another_format);
}

TEST_CASE("bundle: signed, and yet not as it has to be") {
  const Way way;
  const auto frame = frame_of(kOneName);
  REQUIRE_FALSE(got_with_frame(way, frame).why);
  const auto front = front_of(manifest_text(names_of(way, 1)));
  const auto plain = filled_up(front + frame);
  const auto why = [&](const std::string& text) {
    return got(way, signed_and_sealed(way, text)).why;
  };

  // the manifest's length
  CHECK(why("abgleich.bundle/1\n") == Why::malformed);
  CHECK(why("abgleich.bundle/1\n\1\0\0"s) == Why::malformed);
  CHECK(why("abgleich.bundle/1\n\1\0\0\0"s) == Why::malformed);
  CHECK(why(filled_up("abgleich.bundle/1\n" + little_endian(kMostManifest, 4))) == Why::malformed);
  CHECK(why(filled_up("abgleich.bundle/1\n" + little_endian(kMostManifest + 1, 4))) ==
        Why::too_large);
  CHECK(why(filled_up(front_of("{}"))) == Why::malformed);
  // the size
  CHECK(why(front + frame) == Why::malformed);
  CHECK(why(plain + "\0"s) == Why::malformed);
  CHECK(why(plain.substr(0, plain.size() - 1)) == Why::malformed);
  CHECK(why(plain + std::string(2 * 65'536, '\0')) == Why::malformed);
  CHECK_FALSE(why(plain + std::string(65'536, '\0')));  // longer than it has to be
  CHECK(why(plain.substr(0, 32'768 - 64)) == Why::malformed);
  // what fills it up
  CHECK(why(filled_up(front + frame + "\0\0x"s)) == Why::malformed);
  auto last = plain;
  last.back() = '\1';
  CHECK(why(last) == Why::malformed);
}

TEST_CASE("bundle: the frame has to be one of zstd, whole, and with a small window") {
  const Way way;
  const auto frame = frame_of(kOneName);
  const auto why = [&](const std::string& text) { return got_with_frame(way, text).why; };
  CHECK(why("") == Why::malformed);
  CHECK(why("x") == Why::malformed);
  CHECK(why(kOneName) == Why::malformed);
  for (std::size_t size = 0; size < frame.size(); ++size) {
    CHECK(why(frame.substr(0, size)) == Why::malformed);
  }
  CHECK(why(frame + frame) == Why::malformed);
  CHECK(why(frame_of("") + frame) == Why::malformed);
  CHECK(why(frame_of("")) == Why::malformed);
  // a frame that holds nothing, which the library skips
  CHECK(why("\x50\x2a\x4d\x18\4\0\0\0abcd"s + frame) == Why::malformed);
  FrameReader reader([](std::span<const std::uint8_t>) {});
  CHECK_THROWS_AS(reader.add(seal::bytes_of("\x50")), NotApplied);
  // one raw block with all records, which is not the last: the zeros behind it are empty blocks
  const auto block = "\x28\xb5\x2f\xfd\x20"s + static_cast<char>(kOneName.size());
  const auto unended = little_endian(kOneName.size() << 3U, 3) + kOneName;
  CHECK(why(block + unended) == Why::malformed);
  CHECK_FALSE(why(block + little_endian(kOneName.size() << 3U | 1U, 3) + kOneName));
  // no more than the end mark may follow
  CHECK(why(frame_of(kOneName + "E")) == Why::malformed);
  CHECK(why(frame_of(kOneName.substr(0, kOneName.size() - 1))) == Why::malformed);

  const auto with_window = [&](int log) {
    const std::unique_ptr<ZSTD_CCtx, decltype(&ZSTD_freeCCtx)> context(ZSTD_createCCtx(),
                                                                       ZSTD_freeCCtx);
    ZSTD_CCtx_setParameter(context.get(), ZSTD_c_windowLog, log);
    std::string out(1'000, '\0');
    ZSTD_outBuffer to{out.data(), out.size(), 0};
    ZSTD_inBuffer from{kOneName.data(), kOneName.size(), 0};
    // begun before its size is known, so that the header has the window
    ZSTD_compressStream2(context.get(), &to, &from, ZSTD_e_flush);
    REQUIRE(ZSTD_compressStream2(context.get(), &to, &from, ZSTD_e_end) == 0);
    return out.substr(0, to.pos);
  };
  CHECK_FALSE(why(with_window(20)));
  CHECK(why(with_window(21)) == Why::malformed);
  CHECK(why(with_window(27)) == Why::malformed);
}

TEST_CASE("bundle: a frame that expands far beyond the counts stops at the counts") {
  const Way way;
  // 64 MiB of rows in a few kilobytes
  std::string frame;
  FrameWriter writer([&](std::span<const std::uint8_t> bytes) {
    frame.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  });
  std::string rows;
  while (rows.size() < (1U << 20U)) {
    rows += name_row(std::string(1'000, 'x'));
  }
  writer.add(seal::bytes_of("T\0\0"s));
  for (int i = 0; i < 64; ++i) {
    writer.add(seal::bytes_of(rows));
  }
  writer.finish();
  CHECK(frame.size() < 65'000);
  const auto read = got_with_frame(way, frame, 2);
  CHECK(read.why == Why::too_large);
  CHECK(read.records.size() == 2);

  // a cell that says more than a row may have; and what never becomes a record
  const auto large = got_with_frame(
      way, frame_of("T\0\0S"s + static_cast<char>(Kind::bytes) + little_endian(kMostRecord + 1, 4) +
                    std::string(1U << 20U, '\0')));
  CHECK(large.why == Why::too_large);
  CHECK(got_with_frame(way, frame_of(std::string(1U << 20U, 'T'))).why == Why::malformed);
}

TEST_CASE("bundle: records that do not fit the manifest are refused, those before are void") {
  const Way way;
  const auto with = [&](const std::string& records, std::uint64_t rows) {
    return got_with_frame(way, frame_of(records), rows);
  };
  CHECK(with(kOneName, 2).why == Why::malformed);
  CHECK(with(kOneName, 0).why == Why::too_large);
  CHECK(with("T\0\0"s + name_row("a") + "T\1\0"s, 1).why == Why::malformed);
  CHECK(with("T\0\0"s + name_row("\xff") + "E", 1).why == Why::malformed);
}

TEST_CASE("bundle: a file that changes between the two passes is refused") {
  const Way way;
  const auto first = written(way.from, way.grant.recipient(), names_of(way, 1),
                             {{What::row, 0, {{Kind::text, "first"}}}});
  const auto second = written(way.from, way.grant.recipient(), names_of(way, 1),
                              {{What::row, 0, {{Kind::text, "other"}}}});
  REQUIRE_FALSE(got(way, second).why);
  int opened = 0;
  BundleReader reader(way.grant, way.from.card(), way.to.card().id, kBox,
                      [&] { return seal::feed_of(++opened == 1 ? first : second, 1'000); });
  std::vector<Record> records;
  try {
    reader.read([&](const Record& record) { records.push_back(record); });
    FAIL("not refused");
  } catch (const NotApplied& refused) {
    CHECK(refused.why() == Why::altered);
  }
  CHECK(records.size() == 1);
  CHECK(opened == 2);
}

TEST_CASE("bundle: a file that was not finished opens for nobody") {
  const Way way;
  std::string file;
  {
    BundleWriter writer(way.from, way.grant.recipient(), names_of(way, 1),
                        [&](std::span<const std::uint8_t> bytes) {
                          file.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
                        });
    writer.add_row(0, {{Kind::bytes, std::string(300'000, 'x')}});
  }
  CHECK(got(way, file).why == Why::altered);
}

}  // namespace
}  // namespace abgleich::exchange
