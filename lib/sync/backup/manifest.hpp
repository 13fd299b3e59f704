// What is in a backup: `backup.json`, which is written last and names every other file with its
// SHA-256. It has a MAC under a key from the key file, so that nobody without the key can change
// anything in a backup unnoticed. schemas/stored-formats.md describes it.
#pragma once

#include "core/engine.hpp"
#include "mask/keyring.hpp"

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

namespace abgleich::sync {

/// The names of files in a backup.
inline constexpr std::string_view kManifestFile = "backup.json";
inline constexpr std::string_view kBackedUpConfig = "abgleich.toml";
inline constexpr std::string_view kBackedUpInclude = "included.toml";
inline constexpr std::string_view kBackedUpContract = "contract.toml";
inline constexpr std::string_view kBackedUpCatalog = "catalog.json";
inline constexpr std::string_view kBackedUpKey = "abgleich.key";
inline constexpr std::string_view kBackedUpNode = "node.key";
inline constexpr std::string_view kBackedUpCards = "cards";
inline constexpr std::string_view kBackedUpPeers = "peers";  // their contracts
inline constexpr std::string_view kBackedUpState = "state";
inline constexpr std::string_view kBackedUpAccepted = "state/catalog.json";
/// In a backup until it has its name and is on disk.
inline constexpr std::string_view kUnfinishedMark = "unfinished";
/// Behind the name of a backup while it is made; then comes the number of the process.
inline constexpr std::string_view kUnfinishedName = ".new-";
/// The copy of the secondary.
std::string_view name_of_copy(Engine engine);

struct BackedUpFile {
  std::string name;            // in the backup, with '/'
  std::filesystem::path from;  // where it belongs; of a server's copy: empty
  std::int64_t bytes = 0;
  std::string sha256{};
};

struct Manifest {
  std::string made;     // UTC
  std::string pairing;  // its name
  // Where the secondary stood.
  std::string run;
  std::int64_t epoch = 0;
  std::string hash;
  std::string lineage;
  bool key = false;                // the key is in it
  std::string key_check;           // of the key with which the bookkeeping is sealed
  std::filesystem::path key_from;  // where the key file belongs
  // The secondary.
  std::string engine;
  std::string url;  // without a password, as in the configuration
  std::string books;
  std::map<std::string, std::int64_t> rows;  // by table of the data
  std::vector<BackedUpFile> files;
  std::string mac{};

  /// The file of that name. Throws Failure{integrity} where there is none.
  [[nodiscard]] const BackedUpFile& file(std::string_view name) const;
  [[nodiscard]] const BackedUpFile* find(std::string_view name) const;
};

/// The text of `backup.json`, with its MAC. REQUIRES: the keyring's epoch is that of `key_check`.
std::string text_of(const Manifest& manifest, const mask::Keyring& keyring);

/// A directory that a backup has left unfinished, or is at work on.
struct UnfinishedBackup {
  std::filesystem::path directory;
  pid_t process = 0;
};
/// Those in this directory, by their names; none where it cannot be read.
std::vector<UnfinishedBackup> unfinished_backups(const std::filesystem::path& directory);

/// Reads `backup.json`. Throws Failure{usage} where the directory is no backup,
/// Failure{configuration} where another version of this program has made it, Failure{integrity}
/// where it is damaged, Failure{key_or_trust} where somebody else may have written it or another
/// file of the backup.
Manifest read_manifest(const std::filesystem::path& directory);

/// Throws Failure{integrity} where a file is gone or is not as the backup has left it, or where
/// there is one that the manifest does not name.
void expect_whole(const std::filesystem::path& directory, const Manifest& manifest);

/// Throws Failure{key_or_trust} where this is not the key of the backup, Failure{integrity} where
/// somebody without the key has changed the manifest.
void expect_genuine(const Manifest& manifest, const mask::Keyring& keyring);
/// The same with the key in that file.
void expect_genuine(const Manifest& manifest, const std::filesystem::path& key_file);

}  // namespace abgleich::sync
