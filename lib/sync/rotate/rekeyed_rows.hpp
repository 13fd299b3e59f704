// Gives the rows of one table their new key: finds it, and makes the new data and the new base,
// whose digests say of every cell what the old ones said.
#pragma once

#include "core/digest.hpp"
#include "db/primary/source.hpp"
#include "db/secondary/rekey.hpp"
#include "db/secondary/staged_table.hpp"
#include "mask/keyring.hpp"
#include "sync/detect/outgoing_row.hpp"
#include "sync/mapping/key_change.hpp"
#include "sync/progress.hpp"
#include "sync/rotate/new_keys.hpp"

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

namespace abgleich::sync {

class RekeyedRows {
 public:
  /// `table`: prepared for `change.before`. `reading`: the table with both keys as its key, as far
  /// as the primary has both. All arguments have to outlive this.
  RekeyedRows(db::StagedTable& table, const KeyChange& change, const ExportedTable& reading,
              const mask::Keyring& keyring);

  /// Reads the primary: stages its rows by their old key, and learns the new one.
  void learn(db::Source& source, Progress& progress);
  /// Writes every row that base or data has as it is to be. To be called once, after `learn`;
  /// `obstacles` then says whether the result can be applied.
  void run();

  [[nodiscard]] const NewKeys& keys() const { return keys_; }
  [[nodiscard]] std::int64_t base_rows() const { return base_rows_; }

  /// Rows that stand in the way of the new key, by what is wrong with them.
  struct Obstacles {
    std::int64_t keyless = 0;   // of the primary, without a usable new key
    std::int64_t repeated = 0;  // that have the new key of another row
    std::int64_t alike = 0;     // of the primary, that have the old key of another row
    std::int64_t edited = 0;    // whose new key people have edited in the secondary
    std::int64_t lost = 0;      // of the base, that the primary does not have
    std::int64_t nameless = 0;  // of these and of the secondary's own rows: without a new key
  };
  [[nodiscard]] const Obstacles& obstacles() const { return obstacles_; }

 private:
  void learn_from_secondary();
  /// Notes which new key a row has; false where another row is in the way.
  bool note(const std::string& old_key, const std::string& new_key);
  [[nodiscard]] std::optional<std::string> old_key_of(const Row& row, const std::string& new_key);
  [[nodiscard]] std::string key_bytes(const db::Relation& relation, const Row& row) const;
  [[nodiscard]] bool bears_out(const Row& row, const std::string& old_key,
                               const std::vector<Digest>& base) const;
  [[nodiscard]] std::vector<Digest> base_of(const db::Pair& pair) const;
  void take(db::Pair& pair);
  [[nodiscard]] std::optional<std::string> own_key(const db::Pair& pair) const;
  std::string next_base(const std::vector<Digest>& base, const std::string& new_key) const;
  void digest(const Row& row, const std::string& key, std::vector<Digest>& digests) const;

  db::StagedTable& table_;
  const KeyChange& change_;
  const ExportedTable& reading_;
  OutgoingRow out_;
  LockedSipKey unknown_key_;
  db::RekeyWriter rows_;
  NewKeys keys_;
  Obstacles obstacles_;
  std::int64_t base_rows_ = 0;

  // for `old_key_of`, where the old key is no longer exported
  struct Unresolved {
    std::string old_key;
    std::vector<Digest> base;
    bool found = false;
  };
  std::unordered_map<std::string, std::string> known_;  // old keys by new ones
  std::vector<Unresolved> unresolved_;

  // of the current row
  bool in_primary_ = false;
  bool in_secondary_ = false;
  std::vector<Digest> was_primary_, was_secondary_, now_primary_, now_secondary_;
};

}  // namespace abgleich::sync
