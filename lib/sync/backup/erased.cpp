#include "sync/backup/erased.hpp"

#include "contract/words.hpp"
#include "core/clock.hpp"
#include "core/digest.hpp"
#include "db/secondary/copy.hpp"
#include "db/secondary/mentions.hpp"
#include "db/secondary/target.hpp"
#include "mask/keyring.hpp"
#include "mask/reveal.hpp"
#include "state/backups.hpp"
#include "state/row_cache.hpp"
#include "sync/backup/drill.hpp"
#include "sync/backup/manifest.hpp"
#include "sync/mapping/table_mapping.hpp"
#include "sync/run/books_key.hpp"
#include "sync/run/rare_keys.hpp"
#include "sync/run/sealed_key.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <optional>
#include <set>
#include <system_error>
#include <type_traits>
#include <utility>

namespace abgleich::sync {

namespace {

namespace fs = std::filesystem;
using In = db::Mention::In;

constexpr const char* kUntilDeleted = "until you delete that directory";

/// When an entry of the journal is purged.
std::string until_purged(const contract::Retention& keep, const std::optional<db::RunRow>& run) {
  using Unit = contract::Retention::Unit;
  constexpr std::int64_t kDay = 86'400;  // seconds
  if (keep.unit == Unit::forever || !run) {
    return "for ever, as [journal] keep says";
  }
  if (keep.unit == Unit::runs) {
    return fmt::format("until run {} is applied", run->epoch + keep.amount);
  }
  const auto finished = now_seconds() - seconds_since(run->finished);
  return fmt::format("until the first run after {}", utc_of(finished + keep.amount * kDay));
}

/// One search, place after place.
class Looking {
 public:
  Looking(const Pairing& pairing, const std::string& pseudonym)
      : pairing_(pairing), keyring_(read_keyring(pairing.config)) {
    found_.pseudonym = pseudonym;
    expect_form();
  }

  Erased run(SearchBackups backups) && {
    look_in_secondary();
    look_in_rare_keys();
    look_in_cache();
    look_in_log();
    look_in_backups(backups);
    return std::move(found_);
  }

 private:
  void expect_form() const {
    const auto form = mask::form_of(found_.pseudonym);
    const auto shown = contract::in_quotes(found_.pseudonym);
    if (form.kind == mask::Form::Kind::none) {
      throw Failure(Code::usage, fmt::format("{} is no pseudonym", shown),
                    "give it as the secondary has it: p1_ and 26 characters, a uuid or a number");
    }
    if (form.kind == mask::Form::Kind::text && form.epoch != keyring_.epoch()) {
      throw Failure(Code::usage,
                    fmt::format("{} is of epoch {}, and the key makes pseudonyms of epoch {}",
                                shown, form.epoch, keyring_.epoch()),
                    "a rotation has given every row another pseudonym; find the one of now: "
                    "abgleich token --identity NAME");
    }
    if (!has_format(form.kind)) {
      throw Failure(
          Code::usage,
          fmt::format("{} is a pseudonym of a format that no column of the contract has", shown),
          "look at 'format' in the contract, and give it as the secondary has it");
    }
  }

  /// Whether a column of the contract has pseudonyms of this form.
  [[nodiscard]] bool has_format(mask::Form::Kind kind) const {
    using Kind = mask::Form::Kind;
    using contract::Format;
    return std::ranges::any_of(pairing_.contract.tables, [&](const contract::Table& table) {
      return std::ranges::any_of(table.columns, [&](const contract::Column& column) {
        const bool automatic = column.format == Format::automatic;  // uuid or text, by its type
        return column.cls == contract::Class::pseudonym &&
               ((kind == Kind::integer && column.format == Format::integer) ||
                (kind == Kind::token && column.format == Format::token) ||
                (kind == Kind::uuid && (automatic || column.format == Format::uuid)) ||
                (kind == Kind::text && (automatic || column.format == Format::text)));
      });
    });
  }

  void add(std::string where, std::int64_t rows, std::string until, bool certain = true) {
    found_.places.push_back(
        {.where = std::move(where), .rows = rows, .until = std::move(until), .certain = certain});
  }

  void look_in_secondary() {
    db::Target target(pairing_.config.secondary, db::Mode::dry);
    if (!open_to_look(pairing_, target)) {
      throw Failure(Code::usage, "there is no run yet, and so no pseudonym",
                    "the first run: abgleich sync. Nothing was changed");
    }
    target.load_catalog();
    const auto tracked = known_tables(target);
    for (const auto& mention : db::find_mentions(target, tracked, found_.pseudonym)) {
      const auto& keep = pairing_.config.keep;
      switch (mention.in) {
        case In::data:
          add("table " + mention.table, mention.rows,
              "until it is deleted in the primary and a run has brought that, or people delete it");
          break;
        case In::base:
          add("base of " + mention.table, mention.rows,
              "until it is deleted on both sides and a run has seen that");
          break;
        case In::journal:
          add("journal", mention.rows, until_purged(keep, target.books().find_run(mention.epoch)));
          break;
        case In::conflict:
          add("conflicts", mention.rows, "until it is decided: abgleich conflicts");
          break;
        case In::quarantine:
          add("quarantine", mention.rows, "until the row is no longer held back");
          break;
        case In::run:
          add("reasons of runs", mention.rows, "for ever: somebody has typed it as a reason");
          break;
        case In::head:
          add("reason of the pause", mention.rows, "until: abgleich resume --reason TEXT");
          break;
      }
    }
    found_.looked.push_back(fmt::format("{} tables of the contract", tracked.size()));
    found_.looked.emplace_back("their bases, the journal, conflicts, quarantine and runs");
  }

  [[nodiscard]] std::int64_t rare_rows(const Pairing& pairing) const {
    const auto keys = read_rare_keys(pairing);
    return std::ranges::count_if(
        keys, [&](const RareKey& key) { return db::mentions(key.key_text, found_.pseudonym); });
  }

  void look_in_rare_keys() {
    if (const auto rows = rare_rows(pairing_); rows > 0) {
      add("rare_keys in the state directory", rows, "until a run no longer holds the row back");
    }
    found_.looked.emplace_back("rare_keys");
  }

  /// Whether the masked key of a row has the pseudonym.
  [[nodiscard]] bool has_it(std::string_view key_bytes) const {
    while (const auto cell = take_key_cell(key_bytes)) {
      if (db::mentions(cell->bytes(), found_.pseudonym)) {
        return true;
      }
    }
    return false;
  }

  template <class Row>
  std::int64_t rows_in(const state::RowCache& cache, const std::string& name) const {
    std::int64_t rows = 0;
    if (name.empty()) {
      return rows;
    }
    state::KnownRowReader reader(cache, name);
    for (Row row; reader.next(row);) {
      if constexpr (std::is_same_v<Row, state::TouchedRow>) {
        rows += has_it(row.known.key_bytes) ? 1 : 0;
      } else {
        rows += has_it(row.key_bytes) ? 1 : 0;
      }
    }
    return rows;
  }

  void look_in_cache() {
    constexpr const char* kUntil =
        "until every row is read the next time, which is at once with: abgleich sync --full";
    try {
      const state::RowCache cache(pairing_.config.state_directory, sealed_key(keyring_, "cache"));
      const auto index = cache.read_index();
      std::int64_t rows = 0;
      for (const auto& table : index ? index->tables : std::vector<state::CachedTable>{}) {
        rows += rows_in<state::KnownRow>(cache, table.main) +
                rows_in<state::TouchedRow>(cache, table.touched);
      }
      if (rows > 0) {
        add("cache in the state directory", rows, kUntil);
      }
    } catch (const state::CacheUnusable&) {
      add("cache in the state directory, which cannot be read", 0, kUntil, false);
    }
    found_.looked.emplace_back("cache");
  }

  /// Throws Failure{configuration} where there is a log that cannot be read.
  [[nodiscard]] std::int64_t lines_in_log(const Pairing& pairing) const {
    const auto file = pairing.config.state_directory / "reveal.log";
    errno = 0;
    std::ifstream in(file, std::ios::binary);
    if (!in.is_open() && errno != ENOENT) {
      throw Failure(Code::configuration, fmt::format("'{}' cannot be read", file.string()),
                    "look at its owner and rights. Nothing was changed");
    }
    std::int64_t lines = 0;
    for (std::string line; std::getline(in, line);) {
      lines += line.find(fmt::format("\"{}\"", found_.pseudonym)) != std::string::npos ? 1 : 0;
    }
    return lines;
  }

  void look_in_log() {
    constexpr const char* kUntil =
        "until you delete the line: it says who has asked for the pseudonym, and nothing purges it";
    try {
      if (const auto lines = lines_in_log(pairing_); lines > 0) {
        add("reveal.log in the state directory", lines, kUntil);
      }
    } catch (const Failure&) {
      add("reveal.log in the state directory, which cannot be read", 0, kUntil, false);
    }
    found_.looked.emplace_back("reveal.log");
  }

  void look_in_backups(SearchBackups how) {
    const auto backups = state::read_backups(pairing_.config.state_directory);
    std::error_code error;
    std::size_t gone = 0;
    for (const auto& made : backups.made) {
      if (!fs::exists(made.directory, error) && !error) {
        if (fs::exists(made.directory.parent_path(), error)) {
          ++gone;
        } else {
          add(fmt::format("backup '{}' of {}", made.directory.string(), made.made), 0,
              fmt::format("{}: its disk is not there now", kUntilDeleted), false);
        }
        continue;
      }
      const auto where = fmt::format("backup '{}' of {}", made.directory.string(), made.made);
      if (how == SearchBackups::no) {
        add(where, 0, fmt::format("{}; look into it: --search-backups", kUntilDeleted), false);
      } else {
        look_in_backup(where, made.directory);
      }
    }
    look_for_unfinished(backups.made);
    if (backups.incomplete) {
      add("backups of which nobody knows", 0,
          "until you delete them, and then the record, backups.json in the state directory: it is "
          "not complete",
          false);
    }
    found_.looked.emplace_back(how == SearchBackups::yes ? "the backups that were made here"
                                                         : "the record of backups");
    if (gone > 0) {
      found_.looked.push_back(fmt::format(
          "{} of the backups are not where they were made, and count as deleted", gone));
    }
  }

  /// What killed backups have left beside these.
  void look_for_unfinished(const std::vector<state::BackupMade>& backups) {
    std::set<fs::path> places;
    for (const auto& made : backups) {
      places.insert(made.directory.parent_path());
    }
    for (const auto& place : places) {
      for (const auto& unfinished : unfinished_backups(place)) {
        add(fmt::format("unfinished backup '{}'", unfinished.directory.string()), 0, kUntilDeleted,
            false);
      }
    }
  }

  /// One that cannot be searched ends nothing: it may have the pseudonym.
  void look_in_backup(const std::string& where, const fs::path& directory) {
    try {
      const auto rows = rows_in_backup(directory);
      const bool before_rotation = manifest_is_older(directory);
      if (rows > 0) {
        add(where, rows, kUntilDeleted);
      } else if (before_rotation) {
        add(where, 0,
            fmt::format("{}: it is from before the key was rotated, and may have the person under "
                        "another pseudonym",
                        kUntilDeleted),
            false);
      }
    } catch (const Failure& failure) {
      add(where, 0,
          fmt::format("{}: it cannot be searched: {}", kUntilDeleted, failure.error().message),
          false);
    }
  }

  /// Whether the backup's pseudonyms are of an earlier epoch of the key.
  [[nodiscard]] bool manifest_is_older(const fs::path& directory) const {
    return keyring_.epoch_of(read_manifest(directory).key_check) != keyring_.epoch();
  }

  /// Restores the backup beside the secondary, and looks at what is restored.
  std::int64_t rows_in_backup(const fs::path& directory) {
    auto kept = pairing_;
    kept.config.state_directory = directory / kBackedUpState;
    std::int64_t rows = 0;
    look_into_backup(pairing_, directory, [&](db::Target& target) {
      for (const auto& mention :
           db::find_mentions(target, known_tables(target), found_.pseudonym)) {
        rows += mention.rows;
      }
    });
    return rows + lines_in_log(kept) + rare_rows(kept);
  }

  const Pairing& pairing_;
  mask::Keyring keyring_;
  Erased found_;
};

}  // namespace

Erased look_for(const Pairing& pairing, const std::string& pseudonym, SearchBackups backups) {
  return Looking(pairing, pseudonym).run(backups);
}

}  // namespace abgleich::sync
