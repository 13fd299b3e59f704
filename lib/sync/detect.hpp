// Detect: which rows of the primary a run has to look at, by what the last run has left in the
// cache; and what this run leaves there.
#pragma once

#include "db/books.hpp"
#include "db/source.hpp"
#include "db/target.hpp"
#include "journal/row_cache.hpp"
#include "mask/keyring.hpp"
#include "sync/apply.hpp"
#include "sync/exported.hpp"
#include "sync/known_rows.hpp"
#include "sync/pairing.hpp"
#include "sync/progress.hpp"
#include "sync/stage.hpp"

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
  /// `head` is where the secondary stands. Everything outlives this. Throws CacheUnusable.
  Detection(const Pairing& pairing, const Options& options, const mask::Keyring& keyring,
            const std::optional<db::HeadRow>& head, CacheUse use);
  ~Detection();
  Detection(const Detection&) = delete;
  Detection& operator=(const Detection&) = delete;

  /// Stages what has to be looked at of a table: everything, or what is not as the cache has it.
  Staged stage(db::Source& source, db::Target& target, const ExportedTable& exported,
               Progress& progress);

  /// For a first load: the rows go straight into the table. Empty where the secondary refused one;
  /// `forget` then makes this as it was before.
  std::optional<Staged> fill(db::Source& source, db::Target& target, const ExportedTable& exported,
                             Progress& progress);
  void forget();

  /// Looks at what the run leaves open. After its last write to base and data, before the commit.
  void look(db::Target& target, const std::vector<ExportedTable>& tables,
            const std::vector<Judged>& judged);

  /// Writes the cache for the state after the run, as the anchor witnesses it. Says why where that
  /// fails; the run is none the worse.
  std::optional<std::string> keep();

  /// The cache of a pairing.
  static journal::RowCache cache_of(const Pairing& pairing, const mask::Keyring& keyring);

 private:
  struct Pass;
  std::unique_ptr<Pass> begin(db::Source& source, const ExportedTable& exported,
                              KnownRows::OnGone on_gone);
  void stage_all(db::Source& source, db::Target& target, const ExportedTable& exported, Pass& pass,
                 Into into, Progress& progress);
  void stage_recent(db::Source& source, db::Target& target, const ExportedTable& exported,
                    Pass& pass, Progress& progress);
  [[nodiscard]] bool may_use_versions(const Pass& pass) const;
  [[nodiscard]] std::string layout_of(const ExportedTable& exported) const;
  [[nodiscard]] db::Source::Scan reading_of(const ExportedTable& exported) const;

  const Pairing& pairing_;
  const mask::Keyring& keyring_;
  journal::RowCache cache_;
  Fingerprinter fingerprinter_;
  KnownRows::Keep keep_;
  std::optional<journal::CacheIndex> index_;
  std::vector<std::unique_ptr<Pass>> passes_;
  // names in the secondary: of tables whose rows are held back for what other rows are like
  std::set<std::string> counted_;
};

}  // namespace abgleich::sync
