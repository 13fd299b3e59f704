// Detect: finds out which rows of the primary a run has to look at, with the cache that the last
// run has written, and writes the cache for the next run.
#pragma once

#include "db/bookkeeping/books.hpp"
#include "db/primary/source.hpp"
#include "db/secondary/first_load.hpp"
#include "db/secondary/staged_table.hpp"
#include "db/secondary/target.hpp"
#include "mask/keyring.hpp"
#include "state/row_cache.hpp"
#include "sync/detect/cache_match.hpp"
#include "sync/detect/stage.hpp"
#include "sync/mapping/located_table.hpp"
#include "sync/mapping/table_mapping.hpp"
#include "sync/pairing.hpp"
#include "sync/progress.hpp"
#include "sync/run/apply.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace abgleich::sync {

struct Options;

/// What a run may do with the cache. A run that found it unusable starts again with less.
enum class CacheUse : std::uint8_t { read_and_write, write, none };

class Detection {
 public:
  /// `head`: where the secondary stands. `pairing` and `keyring` must outlive this. Throws
  /// state::CacheUnusable where the cache is damaged or is not of the last run.
  Detection(const Pairing& pairing, const Options& options, const mask::Keyring& keyring,
            const std::optional<db::HeadRow>& head, CacheUse use);
  ~Detection();
  Detection(const Detection&) = delete;
  Detection& operator=(const Detection&) = delete;

  /// Asks the primary, in few statements, what `stage` and `fill` will have to know of each table.
  static void look_ahead(db::Source& source, const std::vector<LocatedTable>& tables);

  /// Stages what has to be looked at of a table: every row, or those that are not as in the cache.
  Staged stage(db::Source& source, db::StagedTable& table, const ExportedTable& exported,
               Progress& progress);

  /// For a first load: the rows go directly into the table. Empty where the secondary has refused a
  /// row; then `forget` undoes what all calls of `fill` have noted here.
  std::optional<Staged> fill(db::Source& source, db::FirstLoad& load, db::StagedTable& table,
                             const ExportedTable& exported, Progress& progress);
  void forget();

  /// Notes which rows the run leaves open, for the cache. To be called after the last write to base
  /// and data, before the commit.
  void look(const std::vector<LocatedTable>& tables, const std::vector<Judged>& judged);

  /// After the commit: writes the cache, which is valid for the head that the anchor has. Returns
  /// why that failed; empty: it did not. The run is valid in any case.
  std::optional<std::string> keep();

  /// The cache of a pairing.
  static state::RowCache cache_of(const Pairing& pairing, const mask::Keyring& keyring);

 private:
  struct Pass;
  std::unique_ptr<Pass> begin(db::Source& source, const ExportedTable& exported,
                              CacheMatch::OnGone on_gone);
  void stage_all(db::Source& source, db::StagedTable& table, const ExportedTable& exported,
                 Pass& pass, Into into, Progress& progress);
  void stage_recent(db::Source& source, db::StagedTable& table, const ExportedTable& exported,
                    Pass& pass, Progress& progress);
  [[nodiscard]] bool may_use_versions(const Pass& pass) const;
  [[nodiscard]] std::string layout_of(const ExportedTable& exported) const;
  [[nodiscard]] db::Source::Scan scan_of(const ExportedTable& exported) const;

  const Pairing& pairing_;
  const mask::Keyring& keyring_;
  state::RowCache cache_;
  Fingerprinter fingerprinter_;
  CacheMatch::Keep keep_;
  std::optional<state::CacheIndex> index_;
  std::vector<std::unique_ptr<Pass>> passes_;
  // tables, by their names in the secondary, whose rows may be held back because of other rows
  std::set<std::string> counted_;
};

}  // namespace abgleich::sync
