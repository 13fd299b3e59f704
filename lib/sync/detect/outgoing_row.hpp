// One row of the primary on its way out: masked, in the form in which the secondary will give it
// back, and digested.
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

/// The limit that rows are held to, for people.
std::string largest_row_text();

/// Makes the rows of one table, one after the other, reusing its memory. Not for several threads at
/// once: each needs one of its own.
class OutgoingRow {
 public:
  OutgoingRow(const db::Dialect& secondary, const ExportedTable& exported,
              const mask::Keyring& keyring);

  enum class Made : std::uint8_t {
    usable,
    held_back,  // a value cannot be masked or held; the key is whole
    keyless,    // and not even the key is known
  };
  Made make(const RawRow& raw);

  [[nodiscard]] const Row& row() const { return row_; }
  /// Of a row that is held back: the column, and why.
  [[nodiscard]] std::size_t column() const { return column_; }
  [[nodiscard]] const std::string& reason() const { return reason_; }

  /// The digests of the row that was made last, packed; valid until the next. REQUIRES: it is
  /// usable.
  std::string_view digest();
  /// The bytes of its key, as `digest` has left them.
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
  std::vector<bool> fits_;  // takes every value as it is
  Row row_;
  std::size_t column_ = 0;
  std::string reason_;
  std::string key_bytes_;
  std::vector<Digest> digests_;
  std::string packed_;
};

}  // namespace abgleich::sync
