#include "sync/run/detect.hpp"

#include "sync/options.hpp"
#include "sync/run/sealed_key.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <utility>

namespace abgleich::sync {

namespace {

using state::CachedTable;
using state::CacheUnusable;
using state::KnownRow;

/// To be raised whenever this program reads, masks or digests rows in another way than before:
/// older caches are then not used.
constexpr int kWay = 2;

/// In front of the place of a row that may be new by its version (db/engine/row_versions.hpp).
constexpr char kRecent = '+';
/// If every run has to look at more rows than this, the next one reads the whole table.
constexpr std::size_t kMostPlaces = 1'000;

/// Whether texts that are different in the primary may have the same form.
bool may_merge_texts(const contract::Column& column, std::size_t i, const ExportedTable& exported) {
  const auto family = exported.sources[i]->type.family;
  return column.form.of != contract::CanonicalForm::Of::written &&
         (family == Family::text || family == Family::dynamic);
}

/// Whether the primary guarantees that no two rows that are read have the same masked key. It does
/// not where other tables inherit from this one (a key does not cover their rows), for foreign
/// tables (their keys are not enforced), and where a column can have values of any type: two
/// different values (1 and '1') may become the same.
bool key_is_unique(const CatalogTable& source, const ExportedTable& exported) {
  if (!source.heirs.empty() || source.kind == TableKind::foreign ||
      !traits(exported.sources.front()->type.engine).has_strict_types) {
    return false;
  }
  std::vector<std::string> key;
  for (const auto i : exported.relation.key) {
    const auto& column = *exported.columns[i];
    const bool injective =
        column.cls == contract::Class::plain || (column.cls == contract::Class::pseudonym &&
                                                 column.normaliser == contract::Normaliser::none);
    if (!injective || exported.sources[i]->type.padded ||
        exported.relation.columns[i].stored.padded || may_merge_texts(column, i, exported)) {
      return false;
    }
    key.push_back(column.name);
  }
  std::ranges::sort(key);
  const auto covers = [&](const CatalogKey& unique) {
    auto columns = unique.columns;
    std::ranges::sort(columns);
    return columns == key;
  };
  return (source.primary_key && covers(*source.primary_key)) ||
         std::ranges::any_of(source.uniques, covers);
}

/// Sets the key cells of a row from the cache's `key_bytes`.
void read_key(const db::Relation& relation, std::string_view bytes, Row& row) {
  row.cells.resize(relation.columns.size());
  for (const auto i : relation.key) {
    auto cell = take_key_cell(bytes);
    if (!cell) {
      throw CacheUnusable("a file of the cache is damaged");
    }
    row.cells[i] = *std::move(cell);
  }
}

/// Whether a staged row differs from the base at most in cells with owner = "secondary", which
/// never matters.
bool settled(const ExportedTable& exported, std::string_view staged, std::string_view base) {
  if (staged.empty() || base.empty()) {
    return false;
  }
  const auto primary = unpack_digests(staged);
  const auto before = base_digests(exported.relation, base);
  for (std::size_t i = 0; i < primary.size(); ++i) {
    if (primary[i] != before[i] && exported.rules.cells[i].owner != merge::Owner::secondary) {
      return false;
    }
  }
  return true;
}

/// Whether base and primary agree on every row of the table now. They do unless there are conflicts
/// or rows that are held back.
bool leaves_nothing_open(const Judged& judged) {
  return judged.counts.conflicts == 0 && judged.counts.quarantined == 0 &&
         judged.staged.keyless == 0;
}

/// Whether the index has to be written: not if only the snapshot's transaction numbers differ.
bool news_in(const state::CacheIndex& next, const state::CacheIndex& now) {
  auto same = next;
  for (std::size_t i = 0; i < same.tables.size() && i < now.tables.size(); ++i) {
    auto& versions = same.tables[i].versions;
    const auto& before = now.tables[i].versions;
    const bool whole = same.tables[i].last_full != now.tables[i].last_full;
    if (versions && before && versions->facts == before->facts && !whole) {
      versions->horizon = before->horizon;
      versions->next = before->next;
    }
  }
  return same != now;
}

}  // namespace

/// What is known of one table during a run.
struct Detection::Pass {
  std::int64_t tracked = 0;
  std::string layout;
  const CachedTable* cached = nullptr;
  std::unique_ptr<CacheMatch> known;
  Staged staged;
  db::RowVersions versions;
  bool unique = false;  // see `key_is_unique`
  bool by_versions = false;
  CacheMatch::Unsettled unsettled;
  std::vector<std::string> places;  // of the open rows
  bool kept = true;                 // the cache can have the table
};

Detection::Detection(const Pairing& pairing, const Options& options, const mask::Keyring& keyring,
                     const std::optional<db::HeadRow>& head, CacheUse use)
    : pairing_(pairing),
      keyring_(keyring),
      cache_(cache_of(pairing, keyring)),
      fingerprinter_(keyring.purpose_key("fingerprint")),
      keep_(options.kind == report::Run::real && use != CacheUse::none
                ? CacheMatch::Keep::cache
                : CacheMatch::Keep::nothing) {
  if (use != CacheUse::read_and_write || options.full || options.adopt != merge::Adopt::ask ||
      !head) {
    return;
  }
  index_ = cache_.read_index();
  if (index_ && index_->head != state::Anchor{head->lineage, head->epoch, head->hash}) {
    throw CacheUnusable("the cache is of another run than the secondary's last one");
  }
}

Detection::~Detection() = default;

state::RowCache Detection::cache_of(const Pairing& pairing, const mask::Keyring& keyring) {
  return {pairing.config.state_directory, sealed_key(keyring, "cache")};
}

std::string Detection::layout_of(const ExportedTable& exported) const {
  std::string text = fmt::format("{}\n{}\n", kWay, pairing_.contract_text);
  for (std::size_t i = 0; i < exported.columns.size(); ++i) {
    const auto& column = exported.relation.columns[i];
    const auto& source = exported.sources[i]->type;
    text += fmt::format("{}\n{}\n{}\n{}\n{}\n{}\n{}\n", exported.labels[i], column.source,
                        column.name, exported.layout.columns[i].read_as,
                        static_cast<int>(source.family), column.type.native, column.stored.native);
    text += contract::text_of(exported.columns[i]->form) + '\n';
    if (const auto& issued = exported.columns[i]->issued) {
      text += fmt::format("{}\n", issued->mark());
    }
  }
  for (const auto i : exported.relation.key) {
    text += fmt::format("{}\n", i);
  }
  if (exported.table->is_routed()) {  // by more than the contract's text
    text += text_of(*exported.table->where) + '\n';
  }
  const auto hash = fingerprinter_.of(text);
  return fmt::format("{:016x}{:016x}", hash.low, hash.high);
}

db::Source::Scan Detection::scan_of(const ExportedTable& exported) const {
  return {.table = exported.table->name,
          .columns = exported.sources,
          .key = exported.relation.key,
          .place = {},
          .where = {}};
}

std::unique_ptr<Detection::Pass> Detection::begin(db::Source& source, const ExportedTable& exported,
                                                  CacheMatch::OnGone on_gone) {
  auto pass = std::make_unique<Pass>();
  pass->tracked = exported.relation.id;
  pass->layout = layout_of(exported);
  if (index_) {
    pass->cached = index_->find(pass->tracked);
    if (pass->cached != nullptr && pass->cached->layout != pass->layout) {
      pass->cached = nullptr;
    }
  }
  // where a row may be held back because of other rows (min_k), or together with the row that it
  // belongs to, every row has to be looked at; parents come first, so that `counted_` has them
  const bool alone = (exported.table->min_k < 2 || exported.table->quasi_identifiers.empty()) &&
                     std::ranges::none_of(exported.relation.foreign_keys, [&](const auto& key) {
                       return counted_.contains(key.table);
                     });
  if (!alone) {
    counted_.insert(exported.relation.name);
    pass->cached = nullptr;
    pass->kept = false;
  }
  const auto& table = *source.catalog().find_table(exported.table->name);
  pass->unique = key_is_unique(table, exported);
  pass->versions = source.row_versions(table, exported.sources);
  pass->known =
      std::make_unique<CacheMatch>(cache_, pass->cached, pass->tracked, keep_, std::move(on_gone));
  return pass;
}

void Detection::look_ahead(db::Source& source, const std::vector<LocatedTable>& tables) {
  std::vector<db::Source::Wanted> wanted;
  wanted.reserve(tables.size());
  for (const auto& exported : tables) {
    wanted.push_back(
        {.table = source.catalog().find_table(exported.table->name), .columns = exported.sources});
  }
  source.look_ahead(wanted);
}

std::optional<Staged> Detection::fill(db::Source& source, db::FirstLoad& load,
                                      db::StagedTable& table, const ExportedTable& exported,
                                      Progress& progress) {
  // the base is empty, so nothing is to be done for rows that are gone
  auto pass = begin(source, exported, [](const KnownRow&) {});
  db::FirstLoadTable fill(load, table, pairing_.config.state_directory);
  if (!fill.try_all(
          [&] { stage_all(source, table, exported, *pass, {.fill = &fill}, progress); })) {
    return std::nullopt;
  }
  pass->staged.rare += fill.left_out();
  pass->staged.usable -= fill.left_out();
  passes_.push_back(std::move(pass));
  return passes_.back()->staged;
}

void Detection::forget() {
  passes_.clear();
}

Staged Detection::stage(db::Source& source, db::StagedTable& table, const ExportedTable& exported,
                        Progress& progress) {
  db::GoneWriter gone(table);
  Row key;
  auto pass = begin(source, exported, [&](const KnownRow& known) {
    read_key(exported.relation, known.key_bytes, key);
    gone.add(key, pack(Mark{.row = known.row, .key = known.key, .place = {}}));
  });
  if (may_use_versions(*pass)) {
    stage_recent(source, table, exported, *pass, progress);
  } else {
    stage_all(source, table, exported, *pass, {}, progress);
  }
  auto& staged = pass->staged;
  // rows that were refused late are among the known ones now, and no run would look at them again
  pass->kept = pass->kept && staged.late == 0;
  staged.gone = pass->known->gone();
  if (staged.gone > 0) {
    gone.finish();
  }
  if (staged.rows == 0 && exported.table->is_routed()) {
    staged.elsewhere = source.has_rows(exported.table->name);
  }
  if (staged.absent == Staged::Absent::named && staged.looked_at > 0 && !pass->unique &&
      table.doubtful()) {
    throw CacheUnusable(fmt::format("two rows of '{}' have one key", exported.table->name));
  }
  passes_.push_back(std::move(pass));
  return passes_.back()->staged;
}

void Detection::stage_all(db::Source& source, db::StagedTable& table, const ExportedTable& exported,
                          Pass& pass, Into into, Progress& progress) {
  auto& known = *pass.known;
  auto scan = scan_of(exported);
  if (pass.versions.usable && keep_ == CacheMatch::Keep::cache) {
    scan.place = source.place();
  }
  const db::Source::IsKnown met = [&](const db::RowMark& mark) { return known.met(mark.row); };
  pass.staged = stage_unknown({source, table, exported, keyring_, progress},
                              {scan, fingerprinter_, known, met}, into);
  known.finish();
  if (known.partial()) {
    pass.staged.absent = Staged::Absent::named;
  }
}

bool Detection::may_use_versions(const Pass& pass) const {
  if (pass.cached == nullptr || !pass.cached->versions || !pass.known->partial()) {
    return false;
  }
  const auto& mark = *pass.cached->versions;
  const auto age = std::time(nullptr) - pass.cached->last_full;
  return pass.unique && age >= 0 && age < pairing_.config.full_every.count() &&
         pass.cached->touched_rows < static_cast<std::int64_t>(CacheMatch::kMostBeside) &&
         db::follows(pass.versions, mark.facts, mark.horizon, mark.next);
}

/// Stages only the rows that are new by their versions, and those that every run has to look at. If
/// the number of rows does not prove that none is gone, reads all keys to find those that are.
void Detection::stage_recent(db::Source& source, db::StagedTable& table,
                             const ExportedTable& exported, Pass& pass, Progress& progress) {
  const auto& mark = *pass.cached->versions;
  auto& known = *pass.known;
  auto scan = scan_of(exported);
  scan.place = source.recent_place(mark.horizon);
  scan.where = source.recent_or_at(mark.horizon, mark.places);
  known.begin_changes();
  auto& staged = pass.staged;
  const db::Source::IsKnown none = [](const db::RowMark&) { return false; };
  staged = stage_unknown({source, table, exported, keyring_, progress},
                         {scan, fingerprinter_, known, none}, {});
  if (staged.keyless > 0) {
    throw CacheUnusable(fmt::format("a row of '{}' has no usable key", exported.table->name));
  }
  std::int64_t added = 0;
  if (staged.looked_at > 0) {
    table.new_marks([&](std::string_view bytes) {
      const auto found = unpack_mark(bytes);
      added += found && found->place.starts_with(kRecent) ? 1 : 0;
    });
  }
  const auto held_back = staged.rows - staged.usable;
  staged.rows = source.count_rows(exported.table->name);
  staged.usable = staged.rows - held_back;
  staged.absent = Staged::Absent::named;
  staged.recent_only = true;
  if (staged.rows == pass.cached->rows + added && !known.any_absent()) {
    known.finish_without_deletes();
  } else {
    source.read_keys(scan, fingerprinter_,
                     [&](const Fingerprint& key) { (void)known.key_met(key); });
    known.finish_keys();
    if (staged.rows > pass.cached->rows + added - known.fewer()) {
      throw CacheUnusable(
          fmt::format("'{}' has rows that no new version explains", exported.table->name));
    }
  }
  pass.by_versions = true;
}

void Detection::look(const std::vector<LocatedTable>& tables, const std::vector<Judged>& judged) {
  if (keep_ == CacheMatch::Keep::nothing) {
    return;
  }
  for (std::size_t i = 0; i < tables.size(); ++i) {
    auto& pass = *passes_[i];
    const auto& exported = tables[i];
    auto& unsettled = pass.unsettled;
    const auto take = [&](const Row& key, std::string_view mark, std::vector<KnownRow>& into) {
      const auto found = unpack_mark(mark);
      if (!found || into.size() > CacheMatch::kMostTouched) {
        pass.kept = false;
        return;
      }
      into.push_back({.row = found->row, .key = found->key, .key_bytes = {}});
      if (&into == &unsettled.open) {
        pass.places.push_back(found->place.substr(found->place.starts_with(kRecent) ? 1 : 0));
      }
      key_bytes_of(exported.relation, key, into.back().key_bytes);
    };
    if (leaves_nothing_open(judged[i])) {
      continue;
    }
    auto& table = *judged[i].table;
    if (pass.staged.looked_at > 0) {
      table.open_rows(judged[i].way == HowWritten::filled ? db::StagedTable::OpenRows::held_back
                                                          : db::StagedTable::OpenRows::all,
                      [&](const Row& key, std::string_view mark, std::string_view staged,
                          std::string_view base) {
                        if (!settled(exported, staged, base)) {
                          take(key, mark, unsettled.open);
                        }
                      });
    }
    if (pass.staged.absent == Staged::Absent::unstaged && judged[i].way != HowWritten::filled) {
      table.absent_rows(db::StagedTable::AbsentRows::unstaged,
                        [&](const Row& key, std::string_view) {
                          // its key in the primary is not known; any unique fingerprint will do
                          std::string bytes = "absent";
                          for (const auto at : exported.relation.key) {
                            append_key_bytes(key.cells[at], bytes);
                          }
                          const Mark mark{.row = {}, .key = fingerprinter_.of(bytes), .place = {}};
                          take(key, pack(mark), unsettled.absent);
                        });
    } else if (pass.staged.gone > 0) {
      table.absent_rows(
          db::StagedTable::AbsentRows::named,
          [&](const Row& key, std::string_view mark) { take(key, mark, unsettled.absent); });
    }
  }
}

std::optional<std::string> Detection::keep() {
  if (keep_ == CacheMatch::Keep::nothing) {
    return std::nullopt;
  }
  try {
    const auto anchor = state::read_anchor(pairing_.config.state_directory);
    if (!anchor) {
      throw CacheUnusable("without an anchor there is no cache");
    }
    state::CacheIndex next{
        .head = {.lineage = anchor->lineage, .epoch = anchor->epoch, .hash = anchor->hash}};
    for (const auto& pass : passes_) {
      auto table = pass->kept ? pass->known->save(pass->unsettled) : std::nullopt;
      if (!table) {
        continue;
      }
      table->tracked = pass->tracked;
      table->layout = pass->layout;
      table->rows = pass->staged.rows;
      table->by_versions = pass->by_versions;
      table->versions.reset();
      if (!pass->by_versions) {
        table->last_full =
            pass->cached != nullptr && table->main == pass->cached->main && !pass->versions.usable
                ? pass->cached->last_full
                : std::time(nullptr);
      }
      if (pass->versions.usable && pass->unique && pass->staged.keyless == 0 &&
          pass->places.size() <= kMostPlaces) {
        table->versions = state::VersionMark{.facts = pass->versions.facts,
                                             .horizon = pass->versions.horizon,
                                             .next = pass->versions.next,
                                             .places = std::move(pass->places)};
      }
      next.tables.push_back(std::move(*table));
    }
    if (index_) {
      // tables that this run has not processed keep their entries
      for (const auto& table : index_->tables) {
        const auto same = std::ranges::find(passes_, table.tracked,
                                            [](const auto& pass) { return pass->tracked; });
        if (same == passes_.end()) {
          next.tables.push_back(table);
        }
      }
    }
    if (!index_ || news_in(next, *index_)) {
      cache_.write_index(next);
    }
    return std::nullopt;
  } catch (const CacheUnusable& unusable) {
    cache_.clear();
    return unusable.what();
  } catch (const Failure& failure) {  // the anchor cannot be read; the run is valid nevertheless
    cache_.clear();
    return failure.error().message;
  }
}

}  // namespace abgleich::sync
