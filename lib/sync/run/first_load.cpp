#include "sync/run/first_load.hpp"

#include "db/secondary/first_load.hpp"
#include "sync/options.hpp"

#include <utility>

namespace abgleich::sync {

FirstLoaded load_first(db::Source& source, db::Target& target,
                       const std::vector<LocatedTable>& tables, const Options& options,
                       Detection& detection, Progress& progress) {
  const auto relations = relations_of(tables);
  if (options.kind != report::Run::real || options.detail != Detail::counts ||
      !db::FirstLoad::possible(target, relations)) {
    return {};
  }
  db::FirstLoad load(target, relations);
  target.books().begin_findings();
  std::vector<Judged> judged;
  for (const auto& exported : tables) {
    auto& table = target.prepare(exported.located());
    table.make();  // now: later the secondary is busy with laying down rows
    Judged one{.table = &table, .way = HowWritten::filled};
    one.counts.table = exported.table->name;
    judged.push_back(std::move(one));
  }
  bool taken = true;
  for (std::size_t i = 0; taken && i < tables.size(); ++i) {
    const auto staged = detection.fill(source, load, *judged[i].table, tables[i], progress);
    taken = staged.has_value();
    if (taken) {
      judged[i].staged = *staged;
      judged[i].counts.inserted = staged->usable;
    }
  }
  if (taken && load.end()) {
    return {.tables = std::move(judged)};
  }
  load.abandon();
  detection.forget();
  return {.rows_not_kept = load.rows_not_kept()};
}

}  // namespace abgleich::sync
