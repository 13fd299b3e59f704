#include "sync/first_load.hpp"

#include "sync/sync.hpp"

namespace abgleich::sync {

std::optional<std::vector<Judged>> load_first(db::Source& source, db::Target& target,
                                              const std::vector<ExportedTable>& tables,
                                              const Options& options, Detection& detection,
                                              Progress& progress) {
  const auto relations = relations_of(tables);
  if (options.kind != report::Run::real || options.detail != Detail::counts ||
      !target.may_fill(relations)) {
    return std::nullopt;
  }
  target.begin_fill(relations);
  target.books().begin_findings();
  std::vector<Judged> judged;
  bool taken = true;
  for (const auto& exported : tables) {
    target.prepare(exported.relation);
    target.make_staging(exported.relation);  // while the secondary lays down rows, it is busy
  }
  for (const auto& exported : tables) {
    const auto staged = detection.fill(source, target, exported, progress);
    if (!staged) {
      taken = false;
      break;
    }
    Judged one{.staged = *staged, .way = Way::filled};
    one.counts.table = exported.table->name;
    one.counts.inserted = staged->usable;
    judged.push_back(std::move(one));
  }
  if (taken && target.end_fill(relations)) {
    return judged;
  }
  target.abandon_fill();
  detection.forget();
  return std::nullopt;
}

}  // namespace abgleich::sync
