// Rewrites the records of the bookkeeping in new pseudonyms: keys, cells and digests.
#pragma once

#include "core/digest.hpp"
#include "core/value.hpp"
#include "db/bookkeeping/books.hpp"
#include "journal/record.hpp"
#include "mask/keyring.hpp"
#include "mask/rekey.hpp"
#include "sync/mapping/table_mapping.hpp"

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

namespace abgleich::sync {

/// One rekeying for each recipe: columns of one identity, normaliser and format share it.
class Rekeyings {
 public:
  Rekeyings(const mask::Keyring& before, const mask::Keyring& now) : before_(before), now_(now) {}

  /// Null for a column that is no pseudonym.
  mask::Rekeying* of(const contract::Column& column, const Type& source);
  /// The same for a column that is no longer exported, by what its pseudonyms were made with.
  mask::Rekeying* of(const MadeWith& pseudonym);
  void finish();
  [[nodiscard]] std::int64_t orphans() const;

 private:
  mask::Rekeying* of(const mask::Recipe& recipe);

  const mask::Keyring& before_;
  const mask::Keyring& now_;
  std::map<std::tuple<std::string, contract::Normaliser, contract::Format>,
           std::unique_ptr<mask::Rekeying>>
      all_;
};

/// Stands in for a digest `was` whose value is not known any more: it is no value's digest, and
/// equal for equal `was`.
Digest unknown_digest(const SipKey& key, Digest was);

/// One table's rows and records, from one epoch of the key to another.
class RekeyedTable {
 public:
  RekeyedTable(const ExportedTable& exported, Rekeyings& rekeyings, const mask::Keyring& now);

  [[nodiscard]] const ExportedTable& exported() const { return exported_; }
  [[nodiscard]] mask::Rekeying* rekeying(std::size_t column) const { return rekeyings_[column]; }

  /// Columns that are no longer exported, and still have pseudonyms.
  struct Kept {
    const Remembered* column = nullptr;
    mask::Rekeying* rekeying = nullptr;
  };
  [[nodiscard]] const std::vector<Kept>& kept() const { return kept_; }

  /// The row in new pseudonyms.
  void rekey(const Row& was, Row& row) const;

  /// The digests of a row that has the new pseudonyms already.
  void digest(const Row& row, std::vector<Digest>& digests);

  /// `unknown_digest` with this table's key.
  [[nodiscard]] Digest unknown(Digest was) const;

  void rewrite(db::JournalRow& row);
  void rewrite(db::QuarantineRow& row) const;
  void rewrite(db::ConflictRow& row, const SipKey& id_key);

 private:
  [[nodiscard]] std::optional<std::size_t> column(std::string_view name) const;
  /// Cells as JSON, {"id": "text:p1_…"}, in new pseudonyms.
  [[nodiscard]] std::string rekeyed(const std::string& cells) const;
  void rekey(std::string_view column, Value& value) const;
  /// The rekeying of the column that has this name, or had it when a record was written; else null.
  [[nodiscard]] mask::Rekeying* rekeying_of(std::string_view name) const;
  /// The bytes of a row's key that its digests are bound to.
  [[nodiscard]] std::string key_bytes(const journal::NamedValues& key) const;
  void rewrite_base(const journal::NamedValues& before, const journal::NamedValues& after,
                    const std::string& was_key, const std::string& key,
                    std::optional<std::string>& cells);

  const ExportedTable& exported_;
  std::vector<mask::Rekeying*> rekeyings_;  // one for each column; null: no pseudonym
  std::vector<Kept> kept_;
  SipKeys digest_keys_;  // one for each column, of the new epoch
  LockedSipKey unknown_key_;
  std::string key_bytes_;
};

}  // namespace abgleich::sync
