// Writes a bundle: one sealed and signed file for one peer. schemas/bundle.md describes every byte.
#pragma once

#include "exchange/manifest.hpp"
#include "exchange/node.hpp"
#include "exchange/record_writer.hpp"
#include "exchange/zstd_frame.hpp"
#include "seal/age_writer.hpp"
#include "seal/signature.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace abgleich::exchange {

/// Writes one file, front to back, and holds about 2 MB besides the manifest, however long the file
/// is. Exceptions of the sink are passed on. A file that is not finished opens for nobody.
class BundleWriter {
 public:
  /// Seals to `to`, which is the key of the grant, or of the peer's card for a hello. The manifest
  /// has the numbers of rows that will be added. REQUIRES: it is from this node, with the serial of
  /// its card; `is_sound(manifest)`; the node outlives the writer. Throws Failure{configuration}
  /// where the tables do not fit into a bundle, Failure{key_or_trust} where `to` is not usable.
  BundleWriter(const Node& node, const seal::Recipient& to, const Manifest& manifest,
               seal::Sink sink);
  BundleWriter(const BundleWriter&) = delete;
  BundleWriter& operator=(const BundleWriter&) = delete;
  ~BundleWriter() = default;

  /// A row, all cells in the order of the table's columns. REQUIRES: no call before was for a later
  /// table; the cells are canonical (`is_canonical`). Throws Failure{configuration} where the row
  /// is too large for a bundle.
  void add_row(std::size_t table, const std::vector<Value>& cells);
  /// The same for the key of a row that is gone: the cells of the key's columns.
  void add_gone(std::size_t table, const std::vector<Value>& key);
  /// Fills up, signs and ends the file. REQUIRES: as many rows and keys were added as the manifest
  /// says.
  void finish();

 private:
  BundleWriter(const Node& node, const seal::Recipient& to, std::vector<SentTable> tables,
               std::string_view manifest, seal::Sink sink);
  void add(std::span<const std::uint8_t> bytes);

  const Node& node_;
  std::vector<SentTable> tables_;
  seal::AgeWriter sealed_;
  seal::Hasher hasher_;
  std::uint64_t size_ = 0;  // of what was added to `sealed_`
  FrameWriter frame_;
  RecordWriter records_;
};

}  // namespace abgleich::exchange
