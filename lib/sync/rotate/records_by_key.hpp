// Rewrites the records of the bookkeeping (journal, conflicts, quarantine) of a table whose rows
// get another key: they name rows by the new key, and their digests are bound to it.
#pragma once

#include "db/bookkeeping/books.hpp"
#include "journal/record.hpp"
#include "mask/keyring.hpp"
#include "sync/mapping/key_change.hpp"
#include "sync/rotate/new_keys.hpp"

#include <optional>
#include <string>

namespace abgleich::sync {

class RecordsByKey {
 public:
  /// All arguments have to outlive this.
  RecordsByKey(const KeyChange& change, const NewKeys& keys, const mask::Keyring& keyring);

  /// Records of other tables stay as they are. So do records of rows whose new key is not known;
  /// those in quarantine lose the key.
  void rewrite(db::Books& books) const;

 private:
  struct Keys {
    std::string was, now;
  };
  [[nodiscard]] std::optional<Keys> keys_of(const std::string& key_text) const;
  [[nodiscard]] std::string key_text(const std::string& key) const;
  [[nodiscard]] std::optional<std::size_t> column(std::string_view name) const;
  void rewrite(db::JournalRow& row) const;
  void rewrite(db::ConflictRow& row) const;
  void rewrite_base(const journal::NamedValues& before, const journal::NamedValues& after,
                    const Keys& keys, std::optional<std::string>& cells) const;

  const KeyChange& change_;
  const NewKeys& keys_;
  LockedSipKey unknown_key_;
  LockedSipKey id_key_;
};

}  // namespace abgleich::sync
