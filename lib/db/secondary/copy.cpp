#include "db/secondary/copy.hpp"

#include "db/engine/engine.hpp"
#include "db/secondary/target.hpp"

#include <fmt/format.h>

namespace abgleich::db {

std::map<std::string, std::int64_t> count_rows(Target& target,
                                               const std::set<std::string>& tables) {
  std::map<std::string, std::int64_t> rows;
  for (const auto& name : tables) {
    if (target.catalog().find_table(name) != nullptr) {
      rows[name] = target.count(fmt::format("SELECT count(*) FROM {}",
                                            target.dialect().table(target.session().schema, name)));
    }
  }
  return rows;
}

void copy_out(Target& target, const std::set<std::string>& tables,
              const std::filesystem::path& file) {
  target.backend().copy_out(target.session(), tables, file);
}

std::unique_ptr<RestoredCopy> restore_copy(const CopyToRestore& copy) {
  return backend(copy.original.engine).restore_copy(copy);
}

}  // namespace abgleich::db
