#include "sync/run/limits.hpp"

#include "contract/words.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace abgleich::sync {

namespace {

constexpr const char* kEmptied = "emptied";

/// How many rows of a table a run would change in one way, and the limit for that.
struct Changes {
  const std::string& table;
  std::string_view verb;
  std::int64_t count;
  std::int64_t of;
  std::string_view limit_name;
  const contract::Limit& limit;
};

std::optional<Error> judge(const Options& options, const Changes& changes) {
  const auto& [table, verb, count, of, name, limit] = changes;
  if (count == 0 || limit.allows(count, of) || options.accepted_mass.contains(table)) {
    return std::nullopt;
  }
  return Error{.code = Code::limit,
               .message = fmt::format("{} of {} rows of '{}' would be {}, more than {} = {} allows",
                                      count, of, table, verb, name, limit.text()),
               .hint = fmt::format("look at it: abgleich diff {0}; if it is right: abgleich sync "
                                   "--accept-mass-change {0} --reason TEXT. Nothing was changed",
                                   contract::in_shell(table))};
}

/// Refuses a table that has no row any more, because absence is not deletion. Rows whose tokens
/// stand for nothing are none. Where its rows are routed, the primary may have others. `filtered`:
/// the contract lets only some rows leave.
std::optional<Error> judge_absence(const Options& options, const std::set<std::string>& emptied,
                                   const Judged& table, bool filtered) {
  const auto& name = table.counts.table;
  if (table.base_rows == 0 || table.staged.rows > table.staged.unresolved ||
      table.staged.elsewhere || options.accepted_mass.contains(name) || emptied.contains(name)) {
    return std::nullopt;
  }
  if (table.staged.unresolved > 0) {
    return Error{
        .code = Code::limit,
        .message = fmt::format("the peer has sent {} {} of table '{}', and not one of their tokens "
                               "stands for anything now",
                               table.staged.unresolved,
                               table.staged.unresolved == 1 ? "row" : "rows", name),
        .hint = fmt::format("that is taken for a fault, never for deletes: look at the column that "
                            "'resolves' names, and at which rows go to this peer; if it is right: "
                            "abgleich sync --accept-mass-change {} --reason TEXT. Nothing was "
                            "changed",
                            contract::in_shell(name))};
  }
  return Error{
      .code = Code::limit,
      .message = fmt::format("table '{}' of the primary is empty{}, but had {} {} at the last run",
                             name, filtered ? " (no row meets its 'where')" : "", table.base_rows,
                             table.base_rows == 1 ? "row" : "rows"),
      .hint = fmt::format("an empty table is taken for a fault of the primary, never for deletes: "
                          "look at the primary; if it was emptied on purpose, run: abgleich sync "
                          "--accept-mass-change {} --reason TEXT. Nothing was changed",
                          contract::in_shell(name))};
}

}  // namespace

std::optional<Error> judge_limits(const Pairing& pairing, const Options& options,
                                  const std::set<std::string>& emptied,
                                  const std::vector<Judged>& judged) {
  for (const auto& table : judged) {
    const bool filtered = pairing.contract.find_table(table.counts.table)->where.has_value();
    if (auto error = judge_absence(options, emptied, table, filtered)) {
      return error;
    }
  }
  for (const auto& table : judged) {
    const auto& name = table.counts.table;
    const auto& rules = *pairing.contract.find_table(name);
    // withdrawn rows do not count: the primary still has them, and they come back when enough
    // subjects share them
    const auto most_deleted = rules.max_deleted.value_or(pairing.config.max_deleted);
    if (auto error = judge(options, {.table = name,
                                     .verb = "deleted",
                                     .count = table.counts.deleted - table.counts.withdrawn,
                                     .of = table.base_rows,
                                     .limit_name = "max_deleted",
                                     .limit = most_deleted})) {
      return error;
    }
    // adopted rows are updated although the base does not have them, so its size is not enough
    const auto most_updated = rules.max_updated.value_or(pairing.config.max_updated);
    if (auto error = judge(options, {.table = name,
                                     .verb = "updated",
                                     .count = table.counts.updated - table.counts.backfilled,
                                     .of = std::max(table.base_rows, table.staged.rows),
                                     .limit_name = "max_updated",
                                     .limit = most_updated})) {
      return error;
    }
  }
  return std::nullopt;
}

std::set<std::string> known_emptied(db::Target& target) {
  std::set<std::string> tables;
  if (target.books().exist()) {
    for (const auto& fact : target.books().facts(kEmptied)) {
      tables.insert(fact.name);
    }
  }
  return tables;
}

void remember_emptied(const Options& options, const std::set<std::string>& emptied,
                      const std::vector<Judged>& judged, std::int64_t epoch, db::Target& target) {
  for (const auto& table : judged) {
    const auto& name = table.counts.table;
    if (table.staged.rows > 0 && emptied.contains(name)) {
      target.books().forget_fact(kEmptied, name);
    } else if (table.staged.rows == 0 && table.base_rows > 0 &&
               options.accepted_mass.contains(name) && !emptied.contains(name)) {
      target.books().put_fact({.kind = kEmptied, .name = name, .value = "true", .epoch = epoch});
    }
  }
}

}  // namespace abgleich::sync
