// The keys of rare rows, which min_k holds back. The secondary knows only how many there are; the
// state directory, on the primary's side, keeps the keys for `abgleich quarantine`.
#pragma once

#include "db/secondary/target.hpp"
#include "mask/keyring.hpp"
#include "sync/mapping/located_table.hpp"
#include "sync/pairing.hpp"
#include "sync/run/apply.hpp"

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace abgleich::sync {

struct RareKey {
  std::int64_t tracked = 0;
  bool still_there = false;  // the secondary still has the row
  std::string key_text;
};

/// The keys that the last run has kept; none where their file cannot be read any more: the next run
/// writes it again.
std::vector<RareKey> read_rare_keys(const Pairing& pairing);

class RareKeys {
 public:
  RareKeys(const Pairing& pairing, const mask::Keyring& keyring);

  /// To be called before the commit, which drops the temporary tables that have the keys. Writes a
  /// new file (mode 0600, encrypted like the cache). Throws state::CacheUnusable where it cannot.
  void collect(const std::vector<LocatedTable>& tables, const std::vector<Judged>& judged);
  /// To be called after the commit: the new file replaces the old one.
  void keep();

 private:
  const mask::Keyring& keyring_;
  std::filesystem::path file_;
  std::filesystem::path next_;
  bool any_ = false;
};

}  // namespace abgleich::sync
