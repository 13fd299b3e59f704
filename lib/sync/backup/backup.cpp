#include "sync/backup/backup.hpp"

#include "contract/endpoint_url.hpp"
#include "contract/include.hpp"
#include "contract/trust.hpp"
#include "core/clock.hpp"
#include "core/locked_memory.hpp"
#include "core/private_directory.hpp"
#include "core/replace_file.hpp"
#include "core/sha256.hpp"
#include "core/shell_word.hpp"
#include "core/shortage.hpp"
#include "db/secondary/copy.hpp"
#include "db/secondary/target.hpp"
#include "exchange/node.hpp"
#include "exchange/pinned_cards.hpp"
#include "exchange/revoked_cards.hpp"
#include "journal/head.hpp"
#include "mask/keyring.hpp"
#include "seal/secret_file.hpp"
#include "state/anchor.hpp"
#include "state/backups.hpp"
#include "sync/mapping/table_mapping.hpp"
#include "sync/run/books_key.hpp"
#include "sync/run/primary_position.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <memory>
#include <optional>
#include <set>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace abgleich::sync {

namespace {

namespace fs = std::filesystem;

/// Of the state directory. The anchor is written anew, for the copy; lock and intent are of this
/// process and the last run; the cache is made again by the next run.
constexpr std::array<const char*, 7> kOfState{
    "attempts", "told.json", "rare_keys", "reveal.log", "damaged", "catalog.json", "backups.json"};

[[noreturn]] void cannot(const fs::path& path, std::string_view what, int why) {
  const auto shortage = shortage_of(why);
  throw Failure(shortage ? shortage->code : Code::configuration,
                fmt::format("'{}' cannot be {}: {}", path.string(), what,
                            std::generic_category().message(why)),
                (shortage ? std::string(shortage->hint) : "look at its owner and rights") +
                    ". No backup was made");
}

void mark(const fs::path& file) {
  try {
    replace_file(file, "", S_IRUSR | S_IWUSR);
  } catch (const std::system_error& failed) {
    cannot(file, "made", failed.code().value());
  }
}

/// Removes what backups have left in this directory that were killed.
void remove_unfinished(const fs::path& directory) {
  for (const auto& unfinished : unfinished_backups(directory)) {
    std::error_code error;
    if (::kill(unfinished.process, 0) == 0 || errno != ESRCH) {
      continue;  // at work
    }
    if (fs::exists(unfinished.directory / kUnfinishedMark, error)) {
      fs::remove_all(unfinished.directory, error);
    } else {
      fs::remove(unfinished.directory, error);  // only if it is empty
    }
  }
}

/// The new directory, under another name until it is finished. One that is not finished is removed.
class NewBackup {
 public:
  explicit NewBackup(const fs::path& directory)
      : directory_(fs::absolute(directory.empty() ? "." : directory).lexically_normal()) {
    if (!directory_.has_filename()) {
      directory_ = directory_.parent_path();  // "backup/"
    }
    contract::expect_own(directory_.parent_path(), "the directory of the backup");
    std::error_code error;
    if (directory.empty() || directory_ == fs::current_path(error)) {
      throw Failure(Code::usage, "a backup is a directory of its own, and not where you are",
                    "name a new one: abgleich backup DIRECTORY. Nothing was changed");
    }
    if (!fs::is_directory(directory_.parent_path(), error)) {
      throw Failure(Code::usage,
                    fmt::format("there is no directory '{}'", directory_.parent_path().string()),
                    fmt::format("make it: mkdir -p {}. Nothing was changed",
                                in_shell(directory_.parent_path().string())));
    }
    const auto status = fs::symlink_status(directory_, error);
    const bool there = fs::exists(status);
    if (there && (!fs::is_directory(status) || !fs::is_empty(directory_, error) || error)) {
      throw Failure(
          Code::usage,
          fmt::format("'{}' is there already, and no empty directory", directory_.string()),
          fmt::format("a backup is a directory of its own: abgleich backup {}. Nothing "
                      "was changed",
                      in_shell(directory_.string() + "-" + now_utc().substr(0, 10))));
    }
    remove_unfinished(directory_.parent_path());
    staging_ = directory_;
    staging_ += fmt::format("{}{}", kUnfinishedName, ::getpid());
    make(staging_);
    mark(staging_ / kUnfinishedMark);
  }
  NewBackup(const NewBackup&) = delete;
  NewBackup& operator=(const NewBackup&) = delete;
  ~NewBackup() {
    if (!finished_) {
      std::error_code ignored;
      fs::remove_all(staging_, ignored);
    }
  }

  [[nodiscard]] const fs::path& staging() const { return staging_; }
  [[nodiscard]] const fs::path& directory() const { return directory_; }

  void make_folder(std::string_view name) const { make(staging_ / name); }

  /// Copies a file, if it is there.
  void take(const fs::path& from, const std::string& name) const {
    std::error_code error;
    if (!fs::exists(fs::symlink_status(from, error))) {
      return;
    }
    try {
      copy_privately(from, staging_ / name);
    } catch (const std::system_error& failed) {
      cannot(from, "copied", failed.code().value());
    }
  }

  /// To be called last: all of it is on disk, then it gets its name.
  void finish(const std::string& manifest) {
    try {
      replace_file(staging_ / kManifestFile, manifest, S_IRUSR | S_IWUSR);
      for (const auto& entry : fs::directory_iterator(staging_)) {
        if (entry.is_directory()) {
          sync_directory(entry.path());
        }
      }
      sync_directory(staging_);
      if (::rename(staging_.c_str(), directory_.c_str()) != 0) {
        throw std::system_error(errno, std::generic_category());
      }
      finished_ = true;
      sync_directory(directory_.parent_path());
      std::error_code harmless;  // the backup is whole with it, too
      fs::remove(directory_ / kUnfinishedMark, harmless);
    } catch (const std::system_error& failed) {
      cannot(directory_, "made", failed.code().value());
    }
  }

 private:
  static void make(const fs::path& path) {
    if (::mkdir(path.c_str(), S_IRWXU) != 0) {
      cannot(path, "made", errno);
    }
  }

  fs::path directory_;
  fs::path staging_;
  bool finished_ = false;
};

/// The names in the secondary of the tables that the books know.
std::set<std::string> tables_of(const std::vector<db::TrackedRow>& tracked) {
  std::set<std::string> tables;
  for (const auto& row : tracked) {
    tables.insert(row.target);
  }
  return tables;
}

/// Where the key file belongs; empty: it comes from systemd.
fs::path key_place(const contract::Config& config) {
  return config.key_credential.empty() ? config.key_file : fs::path();
}

/// Where each file belongs, by its name in the backup.
class Places {
 public:
  explicit Places(const Pairing& pairing) : config_(pairing.config) {
    const auto shared = contract::find_include(contract::read_text(config_.file), config_.file);
    places_ = {{std::string(kBackedUpConfig), config_.file},
               {std::string(kBackedUpContract), config_.contract},
               {std::string(kBackedUpCatalog), config_.catalog},
               {std::string(kBackedUpKey), key_place(config_)},
               {std::string(kBackedUpNode), config_.identity},
               {std::string(name_of_copy(config_.secondary.engine)), config_.secondary.file}};
    if (shared) {
      places_[std::string(kBackedUpInclude)] = *shared;
    }
    for (const auto& peer : config_.exchange.peers) {
      for (const auto& file : {peer.sends, peer.accepts}) {
        if (file) {
          name_contract_of_peer(*file);
        }
      }
    }
  }

  [[nodiscard]] fs::path of(const std::string& name) const {
    const fs::path path(name);
    if (path.begin() != path.end() && *path.begin() == kBackedUpState) {
      return config_.state_directory / path.filename();
    }
    if (path.begin() != path.end() && *path.begin() == kBackedUpCards) {
      return config_.cards / path.filename();
    }
    const auto found = places_.find(name);
    return found == places_.end() ? fs::path() : found->second;
  }

  /// Configuration, contracts, catalogue and cards.
  void copy_files(const NewBackup& backup) const {
    for (const auto name :
         {kBackedUpConfig, kBackedUpInclude, kBackedUpContract, kBackedUpCatalog}) {
      copy_file(backup, std::string(name));
    }
    if (!of_peers_.empty()) {
      backup.make_folder(kBackedUpPeers);
    }
    for (const auto& name : of_peers_) {
      copy_file(backup, name);
    }
    std::error_code error;
    if (!fs::is_directory(config_.cards, error)) {
      return;
    }
    backup.make_folder(kBackedUpCards);
    for (const auto& entry : fs::directory_iterator(config_.cards, error)) {
      const auto kind = entry.path().extension();
      if (entry.is_regular_file(error) &&
          (kind == exchange::kCardExtension || kind == exchange::kRevokedExtension)) {
        backup.take(entry.path(),
                    fmt::format("{}/{}", kBackedUpCards, entry.path().filename().string()));
      }
    }
  }

  void copy_secrets(const NewBackup& backup) const {
    const auto key = seal::read_secret_file(mask::kKeyFile, config_.key_file);
    seal::write_secret_file(mask::kKeyFile, backup.staging() / kBackedUpKey, key.bytes());
    std::error_code error;
    if (fs::exists(config_.identity, error)) {
      const auto node = seal::read_secret_file(exchange::kNodeFile, config_.identity);
      seal::write_secret_file(exchange::kNodeFile, backup.staging() / kBackedUpNode, node.bytes());
    }
  }

  /// Secrets that a new machine needs and that are not in the backup.
  [[nodiscard]] std::vector<fs::path> left_out(WithKey with_key) const {
    std::vector<fs::path> files;
    std::error_code error;
    if (with_key == WithKey::no) {
      files.push_back(config_.key_file);
      if (fs::exists(config_.identity, error)) {
        files.push_back(config_.identity);
      }
    }
    for (const auto& endpoint : {config_.primary, config_.secondary}) {
      if (!endpoint.password_file.empty()) {
        files.push_back(endpoint.password_file);
      }
      for (const auto* const name : {"sslrootcert", "sslkey", "sslcert"}) {
        const auto file = contract::parameter_of(endpoint, name);
        if (file && file->find('/') != std::string::npos) {
          files.emplace_back(*file);
        }
      }
    }
    return files;
  }

 private:
  /// Several peers may share a contract, and contracts of several directories may have one name.
  void name_contract_of_peer(const fs::path& file) {
    if (std::ranges::any_of(of_peers_,
                            [&](const std::string& name) { return places_.at(name) == file; })) {
      return;
    }
    const auto last = file.filename().string();
    auto name = fmt::format("{}/{}", kBackedUpPeers, last);
    for (int i = 2; places_.contains(name); ++i) {
      name = fmt::format("{}/{}-{}", kBackedUpPeers, i, last);
    }
    places_[name] = file;
    of_peers_.push_back(name);
  }

  /// Copies the pairing's file of this name, if it is there.
  void copy_file(const NewBackup& backup, const std::string& name) const {
    if (const auto from = of(name); !from.empty()) {
      std::error_code error;
      const auto behind_links = fs::canonical(from, error);  // who owns them was checked
      backup.take(error ? from : behind_links, name);
    }
  }

  const contract::Config& config_;
  std::map<std::string, fs::path> places_;
  std::vector<std::string> of_peers_;  // names of their contracts
};

/// Copies the secondary, what the state directory says of it, and the pairing's own files.
class SecondaryCopy {
 public:
  SecondaryCopy(const Pairing& pairing, const mask::Keyring& keyring, const Places& places,
                const NewBackup& backup)
      : pairing_(pairing), keyring_(keyring), places_(places), backup_(backup) {}

  void make(Manifest& manifest) {
    const auto& secondary = pairing_.config.secondary;
    std::optional<state::StateLock> lock(std::in_place, pairing_.config.state_directory);
    db::Target target(secondary, db::Mode::dry);
    const auto head = look(target);
    take_state(target, head);
    places_.copy_files(backup_);
    lock.reset();  // runs may go on: from here on all is read in one snapshot

    target.load_catalog();
    const auto tables = tables_of(known_tables(target));
    manifest.rows = db::count_rows(target, tables);
    manifest.run = head.run;
    manifest.epoch = head.epoch;
    manifest.hash = head.hash;
    manifest.lineage = head.lineage;
    manifest.key_check = head.key_check;
    manifest.engine = name_of(secondary.engine);
    manifest.url = secondary.url;
    manifest.books = secondary.books;
    db::copy_out(target, tables, backup_.staging() / name_of_copy(secondary.engine));
  }

 private:
  db::HeadRow look(db::Target& target) const {
    auto& books = target.books();
    auto head = books.exist() ? books.head(db::Books::Lock::none) : std::optional<db::HeadRow>{};
    head = open_books(pairing_, target, keyring_of(head, keyring_), {});
    if (!head) {
      throw Failure(Code::usage, "there is no run yet, and so nothing to back up",
                    "the first run: abgleich sync. Nothing was changed");
    }
    return *head;
  }

  void take_state(db::Target& target, const db::HeadRow& head) const {
    const auto& directory = pairing_.config.state_directory;
    backup_.make_folder(kBackedUpState);
    for (const auto* const name : kOfState) {
      backup_.take(directory / name, fmt::format("{}/{}", kBackedUpState, name));
    }
    const auto anchor = state::read_anchor(directory);
    state::write_anchor(
        backup_.staging() / kBackedUpState,
        anchor && journal::stands_at(head, *anchor) ? *anchor : anchor_of(target, head));
  }

  const Pairing& pairing_;
  const mask::Keyring& keyring_;
  const Places& places_;
  const NewBackup& backup_;
};

/// Names every file that is there. Returns how many bytes they have.
std::int64_t list_files(const fs::path& staging, const Places& places, Manifest& manifest) {
  std::int64_t bytes = 0;
  std::set<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(staging)) {
    if (entry.is_regular_file() && entry.path().filename() != kUnfinishedMark) {
      files.insert(entry.path());
    }
  }
  for (const auto& file : files) {
    const auto name = file.lexically_relative(staging).generic_string();
    const auto size = static_cast<std::int64_t>(fs::file_size(file));
    manifest.files.push_back(
        {.name = name, .from = places.of(name), .bytes = size, .sha256 = sha256_of(file)});
    bytes += size;
  }
  return bytes;
}

}  // namespace

BackedUp back_up(const Pairing& pairing, const fs::path& directory, WithKey with_key) {
  const auto keyring = read_keyring(pairing.config);
  const Places places(pairing);
  NewBackup backup(directory);
  BackedUp made{.manifest = {.made = now_utc(),
                             .pairing = contract::name_of_pairing(pairing.config.file),
                             .key = with_key == WithKey::yes,
                             .key_from = key_place(pairing.config)},
                .directory = backup.directory(),
                .left_out = places.left_out(with_key)};
  auto& manifest = made.manifest;
  SecondaryCopy(pairing, keyring, places, backup).make(manifest);
  if (with_key == WithKey::yes) {
    places.copy_secrets(backup);
  }
  const auto& state = pairing.config.state_directory;
  const state::BackupMade record{.made = manifest.made,
                                 .directory = made.directory,
                                 .run = manifest.run,
                                 .epoch = manifest.epoch,
                                 .key = manifest.key};
  // before it has its name, so that no backup exists that nobody knows of; also where it is
  // restored
  state::note_backup(backup.staging() / kBackedUpState, record);
  try {
    made.bytes = list_files(backup.staging(), places, manifest);
  } catch (const std::system_error& failed) {
    cannot(backup.staging(), "read", failed.code().value());
  }
  const auto epoch = keyring.epoch_of(manifest.key_check).value_or(keyring.epoch());
  const auto text = text_of(manifest, keyring.until(epoch));
  state::note_backup(state, record);
  backup.finish(text);
  return made;
}

}  // namespace abgleich::sync
