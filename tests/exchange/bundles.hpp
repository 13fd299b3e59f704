// Bundles in memory, written and read, and some that no writer of ours would write: for tests.
#pragma once

#include "exchange/bundle_reader.hpp"
#include "exchange/bundle_writer.hpp"
#include "exchange/known_node.hpp"
#include "exchange/not_applied.hpp"
#include "seal/padding.hpp"
#include "seal/sealed.hpp"
#include "support/temporary_directory.hpp"

#include <doctest/doctest.h>

#include <array>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace abgleich::exchange {

inline constexpr BoxName kBox{1, 2, 3};

/// A bundle's way: from the node on the page of cards to another one, sealed to a grant of that.
struct Way {
  Way() : from(Node::parse(known_node_text(), "node.key")), to(made_node()) {}

  static Node made_node() {
    const test::TemporaryDirectory directory;
    return Node::generate("b", directory / "node.key");
  }

  Node from;
  Node to;
  seal::Identity grant = seal::Identity::generate();
};

inline std::vector<SentTable> two_tables() {
  return {{.name = "visit",
           .columns = {{.name = "id", .type = "integer", .in_key = true},
                       {.name = "note", .type = "varchar(20)"},
                       {.name = "day", .type = "date", .in_key = true},
                       {.name = "weight", .type = "real"}}},
          {.name = "guest", .columns = {{.name = "name", .type = "", .in_key = true}}}};
}

inline Manifest manifest_of(const Way& way, std::vector<SentTable> tables,
                            Message::Rows rows = Message::Rows::changes) {
  Manifest manifest{.from = way.from.card().id,
                    .to = way.to.card().id,
                    .serial = way.from.card().serial,
                    .box = kBox,
                    .message = {.mark = {.seq = 7, .id = {9}}, .rows = rows},
                    .tables = std::move(tables),
                    .sent = 1'700'000'000};
  return manifest;
}

/// The manifest with the numbers of these records.
inline Manifest counted(Manifest manifest, const std::vector<Record>& records) {
  for (const auto& record : records) {
    auto& table = manifest.tables.at(record.table);
    ++(record.what == Record::What::row ? table.rows : table.gone);
  }
  return manifest;
}

inline std::string written(const Node& from, const seal::Recipient& to, const Manifest& manifest,
                           const std::vector<Record>& records) {
  std::string file;
  BundleWriter writer(from, to, manifest, [&](std::span<const std::uint8_t> bytes) {
    file.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  });
  for (const auto& record : records) {
    if (record.what == Record::What::row) {
      writer.add_row(record.table, record.cells);
    } else {
      writer.add_gone(record.table, record.cells);
    }
  }
  writer.finish();
  return file;
}

inline OpenFeed open_of(std::string_view file) {
  return [file] { return seal::feed_of(file, 1U << 20U); };
}

/// All records. Throws NotApplied.
inline std::vector<Record> read_all(BundleReader& reader) {
  std::vector<Record> records;
  reader.read([&](const Record& record) { records.push_back(record); });
  return records;
}

/// What the recipient reads, or the reason why not.
struct Got {
  std::optional<NotApplied::Why> why;
  std::vector<Record> records;
};

inline Got got(const Way& way, std::string_view file) {
  Got got;
  try {
    BundleReader reader(way.grant, way.from.card(), way.to.card().id, kBox, open_of(file));
    reader.read([&](const Record& record) { got.records.push_back(record); });
  } catch (const NotApplied& refused) {
    got.why = refused.why();
  }
  return got;
}

/// Seals anything that ends with a signature of `signer` over all that stands before it.
inline std::string signed_and_sealed(const Way& way, std::string plain,
                                     const seal::SigningKey& signer,
                                     std::string_view purpose = "abgleich.bundle/1 signature\n") {
  const auto signature = signer.sign(purpose, seal::hash_of(plain));
  plain.append(reinterpret_cast<const char*>(signature.data()), signature.size());
  return seal::sealed(std::span(&way.grant.recipient(), 1), plain);
}

inline std::string signed_and_sealed(const Way& way, std::string plain) {
  return signed_and_sealed(way, std::move(plain), way.from.signs());
}

/// With as many zeros behind it as belong there.
inline std::string filled_up(std::string plain) {
  constexpr std::size_t kSignature = 64;
  plain.resize(seal::padded_size(plain.size() + kSignature) - kSignature, '\0');
  return plain;
}

inline std::string little_endian(std::size_t number, std::size_t size) {
  std::string bytes;
  for (std::size_t i = 0; i < size; ++i) {
    bytes += static_cast<char>(number >> (8 * i));
  }
  return bytes;
}

/// What stands before the frame.
inline std::string front_of(const std::string& manifest) {
  return "abgleich.bundle/1\n" + little_endian(manifest.size(), 4) + manifest;
}

inline std::string frame_of(std::string_view records) {
  std::string frame;
  FrameWriter writer([&](std::span<const std::uint8_t> bytes) {
    frame.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  });
  writer.add(seal::bytes_of(records));
  writer.finish();
  return frame;
}

inline std::string cell_of(Kind kind, std::string_view bytes) {
  return static_cast<char>(kind) + little_endian(bytes.size(), 4) + std::string(bytes);
}

/// Of all kinds, with a row that is gone.
inline std::vector<Record> some_records() {
  return {
      {Record::What::row,
       0,
       {{Kind::integer, "-9223372036854775808"},
        {Kind::text, std::string("ä\0", 3)},
        {Kind::text, "2020-02-29"},
        {Kind::real, "-0"}}},
      {Record::What::gone, 0, {{Kind::integer, "7"}, {Kind::text, "2020-03-01"}}},
      {Record::What::row, 0, {{Kind::integer, "0"}, {}, {Kind::text, ""}, {Kind::real, "1e+22"}}},
      {Record::What::row, 1, {{Kind::bytes, std::string("\xff\0\x01", 3)}}}};
}

inline std::string some_bundle(const Way& way) {
  return written(way.from, way.grant.recipient(),
                 counted(manifest_of(way, two_tables()), some_records()), some_records());
}

/// The sealed bytes without their signature.
inline std::string plain_of(const Way& way, std::string_view file) {
  auto plain = seal::opened(way.grant, file);
  return plain.substr(0, plain.size() - 64);
}

/// A manifest of one table with one text, its key, and so many rows.
inline Manifest names_of(const Way& way, std::uint64_t rows) {
  return manifest_of(way,
                     {{.name = "t", .columns = {{.name = "name", .in_key = true}}, .rows = rows}});
}

inline std::string name_row(std::string_view name) {
  return "S" + cell_of(Kind::text, name);
}

}  // namespace abgleich::exchange
