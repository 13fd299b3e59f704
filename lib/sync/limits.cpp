#include "sync/limits.hpp"

#include "contract/words.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace abgleich::sync {

namespace {

std::optional<Error> judge(const Options& options, const std::string& table, std::string_view verb,
                           std::string_view name, const contract::Limit& limit, std::int64_t count,
                           std::int64_t size) {
  if (count == 0 || limit.allows(count, size) || options.accepted_mass.contains(table)) {
    return std::nullopt;
  }
  return Error{.code = Code::limit,
               .message = fmt::format("{} of {} rows of '{}' would be {}, more than {} = {} allows",
                                      count, size, table, verb, name, limit.text()),
               .hint = fmt::format("look at it: abgleich diff {0}; if it is right: abgleich sync "
                                   "--accept-mass-change {0} --reason TEXT. Nothing was changed",
                                   contract::in_shell(table))};
}

}  // namespace

void judge_absence(const std::vector<Judged>& judged) {
  for (const auto& table : judged) {
    if (table.base_rows > 0 && table.staged.rows == 0) {
      throw Failure(
          Code::limit,
          fmt::format("table '{}' of the primary is empty, but had {} rows at the last run",
                      table.counts.table, table.base_rows),
          "an empty table is taken for a fault of the primary, never for deletes; look at "
          "the primary, then run: abgleich sync; a table that is to be empty has to leave the "
          "contract first. Nothing was changed");
    }
  }
}

std::optional<Error> judge_limits(const Pairing& pairing, const Options& options,
                                  const std::vector<Judged>& judged) {
  for (const auto& table : judged) {
    const auto& name = table.counts.table;
    const auto& rules = *pairing.contract.find_table(name);
    if (auto error = judge(options, name, "deleted", "max_deleted",
                           rules.max_deleted.value_or(pairing.config.max_deleted),
                           table.counts.deleted, table.base_rows)) {
      return error;
    }
    // rows that were adopted are updated without having been in the base
    if (auto error = judge(options, name, "updated", "max_updated",
                           rules.max_updated.value_or(pairing.config.max_updated),
                           table.counts.updated - table.counts.backfilled,
                           std::max(table.base_rows, table.staged.rows))) {
      return error;
    }
  }
  return std::nullopt;
}

}  // namespace abgleich::sync
