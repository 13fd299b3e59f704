#include "report/grants.hpp"

#include "core/visible_text.hpp"
#include "db/secondary/grants_script.hpp"

#include <fmt/format.h>

namespace abgleich::report {

std::string text_of(std::string_view database, const std::optional<db::Grants>& grants) {
  if (!grants) {
    return fmt::format("-- {}: no roles; who may open the file may do everything with it\n",
                       database);
  }
  if (grants->superuser) {
    return fmt::format(
        "-- {}: {} is a superuser, which no statement can limit. Make a role of its own, name it "
        "in the URL, and run this again\n",
        database, visible(grants->role));
  }
  auto text = fmt::format("-- {}: {}{}\n", database, visible(grants->role),
                          grants->statements.empty() ? " has what it needs" : "");
  for (const auto& statement : grants->statements) {
    text += statement + ";\n";
  }
  for (const auto& remark : grants->remarks) {
    text += fmt::format("-- {}\n", visible(remark));
  }
  return text;
}

namespace {

constexpr std::string_view kHead =
    "-- What the roles of this pairing may do: exactly what the contract needs, no more and no\n"
    "-- less. Made from the contract as it was then; when that has changed, make it again with\n"
    "-- 'abgleich init --again', or see it with 'abgleich grants'.\n"
    "--\n"
    "-- For psql, as an administrator of each database. A part does nothing in another database\n"
    "-- than its own, so that the whole file can be given to both:\n"
    "--     psql --file grants.sql DATABASE\n";

std::string part_of(const Rights& side) {
  if (side.unknown) {
    return fmt::format("\n-- {}: not known: {}\n-- {}\n", side.database,
                       visible(side.unknown->message),
                       "when that is settled, make this file again: abgleich init --again");
  }
  const auto text = text_of(side.database, side.grants);
  if (!side.grants || side.grants->statements.empty()) {
    return "\n" + text;
  }
  return "\n" + db::only_here(*side.grants, side.identity, text);
}

}  // namespace

std::string grants_file(const Rights& primary, const Rights& secondary) {
  return std::string(kHead) + part_of(primary) + part_of(secondary);
}

bool is_grants_file(std::string_view text) {
  return text.starts_with(kHead.substr(0, kHead.find('\n')));
}

}  // namespace abgleich::report
