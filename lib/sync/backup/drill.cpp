#include "sync/backup/drill.hpp"

#include "contract/config.hpp"
#include "contract/trust.hpp"
#include "core/clock.hpp"
#include "core/private_directory.hpp"
#include "core/sha256.hpp"
#include "db/secondary/copy.hpp"
#include "db/secondary/target.hpp"
#include "drift/catalog_file.hpp"
#include "state/backups.hpp"
#include "sync/run/books_key.hpp"
#include "sync/verify/books_alone.hpp"
#include "sync/verify/verify.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <system_error>
#include <utility>

namespace abgleich::sync {

namespace {

namespace fs = std::filesystem;

constexpr const char* kFromBackup = "backup";
constexpr const char* kAnotherBackup = "take another backup: abgleich backup DIRECTORY";

fs::path last_backup(const Pairing& pairing) {
  const auto made = state::read_backups(pairing.config.state_directory).made;
  std::error_code error;
  for (auto one = made.rbegin(); one != made.rend(); ++one) {
    if (fs::exists(one->directory / kManifestFile, error)) {
      return one->directory;
    }
  }
  throw Failure(Code::usage,
                made.empty() ? "no backup was made on this machine"
                             : "no backup that was made on this machine is where it was made",
                "make one: abgleich backup DIRECTORY; or name one: abgleich restore --drill "
                "DIRECTORY. Nothing was changed");
}

/// The pairing as the backup has it: its contract, its catalogue, its key where that is in it. The
/// state directory is an empty one: what the state directory says of the original secondary says
/// nothing of the copy.
Pairing from_backup(const Pairing& pairing, const Drilled& drilled, const fs::path& state) {
  auto restored = pairing;
  const auto& directory = drilled.directory;
  restored.config.contract = directory / kBackedUpContract;
  restored.contract = contract::read_contract(restored.config.contract);
  for (auto& table : restored.contract.tables) {
    table.min_k = restored.config.min_k;
  }
  restored.contract_text = contract::read_text(restored.config.contract);
  restored.config.catalog = directory / kBackedUpCatalog;
  restored.accepted = drilled.manifest.find(kBackedUpCatalog) != nullptr
                          ? std::optional(drift::read_catalog(restored.config.catalog))
                          : std::nullopt;
  if (drilled.key == kFromBackup) {
    restored.config.key_file = directory / kBackedUpKey;
  }
  restored.config.state_directory = state;
  // what was accepted since the last run, and would else be nobody's decision
  if (drilled.manifest.find(kBackedUpAccepted) != nullptr) {
    copy_privately(directory / kBackedUpAccepted, state / kBackedUpCatalog);
  }
  return restored;
}

/// Whether the pairing's file is another one than in the backup.
bool has_changed(const fs::path& file, const Manifest& manifest, std::string_view name) {
  const auto* kept = manifest.find(name);
  std::error_code error;
  if (kept == nullptr || !fs::exists(file, error)) {
    return kept != nullptr;
  }
  try {
    return sha256_of(fs::canonical(file)) != kept->sha256;  // the backup has what is behind links
  } catch (const std::system_error&) {
    return true;
  }
}

void compare_files(const Pairing& pairing, Drilled& drilled) {
  const auto note = [&](const fs::path& file, std::string_view name, std::string_view what) {
    if (has_changed(file, drilled.manifest, name)) {
      drilled.notes.push_back(fmt::format("the {} has changed since the backup", what));
    }
  };
  note(pairing.config.file, kBackedUpConfig, "configuration");
  note(pairing.config.contract, kBackedUpContract, "contract");
  note(pairing.config.catalog, kBackedUpCatalog, "accepted catalogue");
  for (const auto& file : drilled.manifest.files) {
    if (file.name.starts_with(fmt::format("{}/", kBackedUpPeers))) {
      note(file.from, file.name, fmt::format("contract '{}' of peers", file.from.string()));
    }
  }
}

/// Seals, chain and bases of the copy, where it stands, and how many rows its tables have.
void look_at_copy(const Pairing& restored, const mask::Keyring& keyring, Drilled& drilled) {
  db::Target target(restored.config.secondary, db::Mode::dry);
  auto books = verify_books(restored, target, keyring);
  const auto& manifest = drilled.manifest;
  drilled.damage = std::move(books.damage);
  if (!books.head || books.head->hash != manifest.hash || books.head->lineage != manifest.lineage) {
    drilled.damage.push_back(
        {.table = "",
         .what =
             fmt::format("the copy does not stand at run {}, which the backup names", manifest.run),
         .hint = kAnotherBackup});
  }
  target.load_catalog();
  std::set<std::string> tables;
  for (const auto& [table, rows] : manifest.rows) {
    tables.insert(table);
  }
  const auto found = db::count_rows(target, tables);
  for (const auto& [table, rows] : manifest.rows) {
    const auto there = found.find(table);
    if (there == found.end() || there->second != rows) {
      drilled.damage.push_back(
          {.table = table,
           .what = there == found.end()
                       ? fmt::format("it could not be restored; it had {} rows", rows)
                       : fmt::format("{} of its {} rows were restored", there->second, rows),
           .hint = kAnotherBackup});
    }
  }
}

/// How far the secondary itself has got since.
void look_at_original(const Pairing& pairing, Drilled& drilled) {
  try {
    db::Target target(pairing.config.secondary, db::Mode::dry);
    const auto head = target.books().exist() ? target.books().head(db::Books::Lock::none)
                                             : std::optional<db::HeadRow>{};
    const auto& manifest = drilled.manifest;
    if (!head || head->lineage != manifest.lineage || head->epoch < manifest.epoch) {
      drilled.notes.emplace_back(
          "the secondary has another history now than the one that the backup is of, so this "
          "counts as no drill of its backups");
      drilled.counts = false;
      return;
    }
    drilled.runs_behind = head->epoch - manifest.epoch;
  } catch (const Failure& failure) {
    drilled.notes.push_back("the secondary as it is now was not looked at: " +
                            failure.error().message);
  }
}

/// The same as `abgleich verify`, of the copy.
void compare_with_primary(const Pairing& restored, Progress& progress, Drilled& drilled) {
  try {
    const auto verified = verify(restored, progress, [](const report::Difference&) {});
    std::int64_t behind = 0;
    for (const auto& table : verified.tables) {
      behind += table.of(merge::Standing::pending);
    }
    drilled.rows_behind = behind;
    for (const auto& damage : verified.damage) {
      drilled.damage.push_back(
          {.table = damage.table, .what = damage.what, .hint = kAnotherBackup});
    }
  } catch (const Failure& failure) {
    drilled.notes.push_back("it was not compared with the primary: " + failure.error().message);
  }
}

/// What to restore, and where to.
db::CopyToRestore copy_of(const Pairing& pairing, const DrillOptions& options,
                          const Drilled& drilled) {
  const auto& secondary = pairing.config.secondary;
  if (drilled.manifest.engine != name_of(secondary.engine)) {
    throw Failure(Code::usage,
                  fmt::format("the backup is of a {} secondary, and this pairing's is {}",
                              drilled.manifest.engine, name_of(secondary.engine)),
                  "name a backup of this pairing. Nothing was changed");
  }
  db::CopyToRestore copy{.file = drilled.directory / name_of_copy(secondary.engine),
                         .original = secondary};
  copy.original.books = drilled.manifest.books;
  if (options.to) {
    auto to = contract::parse_endpoint(Role::secondary, *options.to, fs::current_path());
    if (to.engine != secondary.engine) {
      throw Failure(Code::usage, "--to is a database of another kind than the secondary",
                    "name one of the same kind. Nothing was changed");
    }
    copy.to = secondary;
    copy.to->url = to.url;
    copy.to->file = to.file;
    copy.to->books = drilled.manifest.books;
  }
  return copy;
}

/// Reads and checks the manifest.
Drilled begun(const Pairing& pairing, const fs::path& directory) {
  Drilled drilled{.directory = fs::absolute(directory.empty() ? last_backup(pairing) : directory)};
  drilled.manifest = read_manifest(drilled.directory);
  expect_whole(drilled.directory, drilled.manifest);
  drilled.age = seconds_since(drilled.manifest.made);
  // A key that comes with the backup proves nothing about who wrote it, so it is only used where
  // this machine has none.
  std::error_code error;
  const bool own = fs::exists(pairing.config.key_file, error) || !drilled.manifest.key;
  drilled.key = own ? "this machine" : kFromBackup;
  return drilled;
}

}  // namespace

Drilled drill(const Pairing& pairing, const DrillOptions& options, Progress& progress) {
  auto drilled = begun(pairing, options.directory);
  const PrivateDirectory state("abgleich-drill-state");
  auto restored = from_backup(pairing, drilled, state.path());
  const auto keyring = mask::Keyring::read(restored.config.key_file);
  expect_genuine(drilled.manifest, keyring);
  compare_files(pairing, drilled);

  const auto copy = db::restore_copy(copy_of(pairing, options, drilled));
  restored.config.secondary = copy->endpoint();
  if (copy->left_out() > 0) {
    drilled.notes.push_back(fmt::format(
        "{} of the statements that make tables, indexes and rights of people could not be run: "
        "they need what is not in the backup",
        copy->left_out()));
  }
  look_at_copy(restored, keyring, drilled);
  look_at_original(pairing, drilled);
  if (drilled.damage.empty()) {
    compare_with_primary(restored, progress, drilled);
  }
  drilled.stays = options.to.value_or("");
  if (const auto left = copy->end(); !left.empty()) {
    drilled.notes.push_back(fmt::format(
        "the database '{}' could not be dropped, and has the rows of the secondary: DROP DATABASE "
        "{}",
        left, left));
  }
  if (!drilled.damage.empty()) {
    drilled.code = Code::integrity;
  } else if (drilled.counts) {
    state::note_drill(
        pairing.config.state_directory,
        {.at = now_utc(), .directory = drilled.directory, .made = drilled.manifest.made});
  }
  return drilled;
}

void look_into_backup(const Pairing& pairing, const fs::path& directory,
                      const std::function<void(db::Target&)>& look) {
  const auto drilled = begun(pairing, directory);
  const PrivateDirectory state("abgleich-drill-state");
  auto restored = from_backup(pairing, drilled, state.path());
  const auto keyring = mask::Keyring::read(restored.config.key_file);
  expect_genuine(drilled.manifest, keyring);
  const auto copy = db::restore_copy(copy_of(pairing, {}, drilled));
  db::Target target(copy->endpoint(), db::Mode::dry);
  (void)open_books(restored, target,
                   keyring_of(target.books().head(db::Books::Lock::none), keyring),
                   {.witness = Opening::Witness::not_asked});
  target.load_catalog();
  look(target);
}

}  // namespace abgleich::sync
