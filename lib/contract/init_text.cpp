#include "contract/init_text.hpp"

#include "contract/guessed_lines.hpp"
#include "contract/toml_text.hpp"
#include "contract/words.hpp"

#include <fmt/format.h>

namespace abgleich::contract {

namespace {

constexpr std::string_view kContractHead =
    "# What may leave the primary, and how; all options: schemas/contract.schema.json.\n"
    "#\n"
    "# 'abgleich init' has guessed this from the names and types of the columns; it has not read "
    "a\n"
    "# single value. Go through it line by line, with your data protection officer:\n"
    "#   \"plain\"      leaves as it is\n"
    "#   \"pseudonym\"  leaves as a pseudonym; the same identity and value give the same "
    "pseudonym\n"
    "#                in every table, so that joins hold\n"
    "#   \"generalise\" leaves coarser: to = \"year\", \"month\", \"week\", \"age-band:N\", "
    "\"prefix:N\"\n"
    "#   \"withhold\"   never leaves, and is not even read\n"
    "\n"
    "format = 1\n";

}  // namespace

Identities guessed_identities(const Catalog& catalog) {
  return {catalog, guessed_keys(catalog)};
}

std::string contract_text(const Catalog& catalog) {
  const auto keys = guessed_keys(catalog);
  const Identities identities(catalog, keys);
  FreeNames targets;
  std::string text(kContractHead);
  for (const CatalogTable& table : catalog.tables) {
    if (!offered(table)) {
      continue;
    }
    if (!writable(table.name)) {
      text += "\n# A table is left out: its name cannot be written in TOML.\n";
      continue;
    }
    const auto key = keys.find(table.name);
    text += key == keys.end()
                ? left_out(table, identities)
                : section_of(table, key->second, targets.take(table.name), identities);
  }
  return text;
}

std::string config_text(std::string_view primary_url, std::string_view secondary_url) {
  const auto server_lines = [](std::string_view url, std::string_view role) {
    const auto scheme = scheme_of(url);
    return scheme && !scheme->engine->is_file
               ? fmt::format(
                     "# password_file = \"{}.pass\"  # or ~/.pgpass; a password inside the "
                     "url is refused\n"
                     "schema = \"{}\"\n{}",
                     role, scheme->engine->schema,
                     role == "primary" ? "workers = 2  # how many connections may read at once\n"
                                       : "")
               : std::string();
  };
  return fmt::format(
      "# A pairing: the primary is read, the secondary is merged into. Paths are relative to this "
      "file.\n"
      "\n"
      "contract = \"contract.toml\"  # what may leave the primary: reviewed by people\n"
      "catalog  = \"catalog.json\"   # the accepted schema of the primary: 'abgleich drift "
      "accept'\n"
      "\n"
      "[primary]\n"
      "url = {}\n"
      "{}"
      "\n"
      "[secondary]\n"
      "url = {}\n"
      "{}"
      "manage_schema = true  # false: never create or alter tables, print what is missing\n"
      "\n"
      "[keys]\n"
      "file = \"abgleich.key\"  # keep a copy in a safe place: without it no pseudonym comes "
      "again\n"
      "\n"
      "[state]\n"
      "directory = \"state\"  # lock and caches\n"
      "\n"
      "# What one run may do to one table: a share of its rows (\"5%\"), or a number of them "
      "(100).\n"
      "[limits]\n"
      "max_deleted = \"5%\"\n"
      "max_updated = \"50%\"\n"
      "\n"
      "# How long a run can be shown and taken back.\n"
      "[journal]\n"
      "keep = \"90d\"\n"
      "\n"
      "# Who is told how syncing goes, beside cron's mail.\n"
      "# [alert]\n"
      "# max_age = \"30m\"  # no success for longer: 'abgleich status --exit-code' ends with 14\n"
      "# metrics = \"/var/lib/prometheus/node-exporter/abgleich.prom\"  # for Prometheus\n"
      "# ping = \"https://hc-ping.com/UUID\"  # asked for at every start and end\n",
      toml_string(primary_url), server_lines(primary_url, "primary"), toml_string(secondary_url),
      server_lines(secondary_url, "secondary"));
}

}  // namespace abgleich::contract
