// Who is rare: the keys of the rows that min_k holds back. The secondary knows their number only;
// the state directory, on the primary's side, keeps them for `abgleich quarantine`.
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

/// What the last run has kept; nothing where it has kept none, or where that cannot be read any
/// more: the next run keeps it again.
std::vector<RareKey> read_rare_keys(const Pairing& pairing);

class RareKeys {
 public:
  RareKeys(const Pairing& pairing, const mask::Keyring& keyring);

  /// Before the commit, which ends what knows them. Mode 0600, encrypted like the cache. Throws
  /// state::CacheUnusable where they cannot be written.
  void collect(const std::vector<LocatedTable>& tables, const std::vector<Judged>& judged);
  /// After it.
  void keep();

 private:
  const mask::Keyring& keyring_;
  std::filesystem::path file_;
  std::filesystem::path next_;
  bool any_ = false;
};

}  // namespace abgleich::sync
