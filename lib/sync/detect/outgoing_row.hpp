// One row of the primary on its way out: masked, checked that the secondary can store it unchanged,
// and digested.
#pragma once

#include "db/engine/dialect.hpp"
#include "mask/keyring.hpp"
#include "mask/masker.hpp"
#include "sync/mapping/table_mapping.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace abgleich::sync {

/// How large a row may be, for people.
std::string largest_row_text();

/// Makes the rows of one table, one after the other, reusing its memory. Not thread-safe: each
/// thread needs its own.
class OutgoingRow {
 public:
  OutgoingRow(const db::Dialect& secondary, const ExportedTable& exported,
              const mask::Keyring& keyring);

  enum class Made : std::uint8_t {
    usable,
    held_back,   // a value cannot be masked or stored; the key is usable
    keyless,     // the same, and the key is not usable either
    unresolved,  // a token of it resolves to nothing: it counts as not there
  };
  Made make(const RawRow& raw);

  [[nodiscard]] const Row& row() const { return row_; }
  /// Where the row is not usable: because of which exported column (its index), and why.
  [[nodiscard]] std::size_t column() const { return column_; }
  [[nodiscard]] const std::string& reason() const { return reason_; }

  /// The digests of the row that was made last, packed; valid until the next call. REQUIRES: the
  /// row is usable.
  std::string_view digest();
  /// The bytes of its key. REQUIRES: `digest` was called.
  [[nodiscard]] const std::string& key_bytes() const { return key_bytes_; }

 private:
  bool fit_rest_of_key(std::size_t failed);
  [[nodiscard]] bool is_key(std::size_t column) const;
  bool key_has_room();
  bool row_has_room();

  const db::Dialect& secondary_;
  std::size_t most_key_bytes_;  // 0: no limit
  const ExportedTable& exported_;
  mask::Masker masker_;
  std::vector<bool> fits_;  // by column: it stores every value unchanged
  Row row_;
  std::size_t column_ = 0;
  std::string reason_;
  std::string key_bytes_;
  std::vector<Digest> digests_;
  std::string packed_;
};

}  // namespace abgleich::sync
