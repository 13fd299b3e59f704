// Keyed checksums (MACs) of the bookkeeping's rows: without the key, nobody can write
// or change a row, or move it into another table, run or secondary. What the bytes mean
// is in schemas/stored-formats.md.
#pragma once

#include "core/digest.hpp"
#include "core/locked_memory.hpp"
#include "db/bookkeeping/books_rows.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace abgleich::db {

/// A key for each purpose, made from the key file; see sync/run/books_key.hpp.
struct KeysOfSeals {
  SipKey head{};
  SipKey run{};
  SipKey tracked{};
  SipKey fact{};
  SipKey journal{};
  SipKey conflict{};
  SipKey quarantine{};
  SipKey base{};   // of checksums of base rows
  SipKey sums{};   // of what a row adds to its set
  SipKey seals{};  // of all seals together
  SipKey deeds{};  // of what a run did
};
using SealKeys = Locked<KeysOfSeals>;

/// The fields of a journal entry that its MAC is made of: all but its number, which only orders.
struct JournalFields {
  std::int64_t epoch = 0;
  std::int64_t tracked = 0;
  std::string_view key_text;
  std::string_view fate;
  std::optional<std::string_view> before{};
  std::optional<std::string_view> after{};
  std::optional<std::string_view> moved{};
  std::optional<std::string_view> base_before{};
  std::optional<std::string_view> base_after{};
};
JournalFields fields_of(const JournalRow& row);

class Sealer {
 public:
  /// All keys are bound to the lineage, so that rows of another secondary are not accepted
  /// in this one.
  Sealer(const SealKeys& keys, std::string_view lineage);

  [[nodiscard]] const std::string& lineage() const { return lineage_; }

  /// 16 bytes each.
  [[nodiscard]] std::string mac(const HeadRow& row) const;
  [[nodiscard]] std::string mac(const RunRow& row) const;
  [[nodiscard]] std::string mac(const TrackedRow& row) const;
  [[nodiscard]] std::string mac(const FactRow& row) const;
  [[nodiscard]] std::string mac(const ConflictRow& row) const;
  [[nodiscard]] std::string mac(const QuarantineRow& row) const;
  [[nodiscard]] std::string mac(const JournalFields& row) const;
  [[nodiscard]] std::string mac_of_seals(std::string_view all) const;
  /// Hexadecimal.
  [[nodiscard]] std::string mac_of_deeds(std::string_view deeds) const;

  /// What a row with this MAC adds to the seal of its set. It is keyed: otherwise somebody could
  /// choose rows that add up to the same.
  [[nodiscard]] Seal share(std::string_view mac) const;
  /// The key of the checksums of a table's base rows.
  [[nodiscard]] LockedSipKey base_key(std::int64_t tracked) const;

  /// A sum as it is stored: hidden, with a fresh mask each time, so that nobody learns what a row
  /// adds. `revealed` gives nothing where the text is not of that form.
  [[nodiscard]] std::string hidden(std::uint64_t sum) const;
  [[nodiscard]] std::optional<std::uint64_t> revealed(std::string_view text) const;

 private:
  SealKeys keys_;
  std::string lineage_;
};

/// 16 random bytes, hexadecimal.
std::string random_nonce();

/// A number as it may be stored: with a fresh mask each time, so that two of them
/// cannot be compared.
std::string hidden_number(std::uint64_t number, const SipKey& key);
/// Empty where the text is not of that form.
std::optional<std::uint64_t> revealed_number(std::string_view text, const SipKey& key);

}  // namespace abgleich::db
