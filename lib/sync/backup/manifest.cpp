#include "sync/backup/manifest.hpp"

#include "contract/trust.hpp"
#include "contract/words.hpp"
#include "core/digest.hpp"
#include "core/error.hpp"
#include "core/hex.hpp"
#include "core/sha256.hpp"
#include "core/shallow_json.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <iterator>
#include <span>
#include <system_error>
#include <utility>

namespace abgleich::sync {

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr const char* kFormat = "abgleich.backup/1";
constexpr const char* kPurpose = "backup";
constexpr const char* kTakeAnother = "take another backup. Nothing was changed";

/// Everything but the MAC.
Json json_of(const Manifest& manifest) {
  Json json = {{"format", kFormat},
               {"made", manifest.made},
               {"pairing", manifest.pairing},
               {"run",
                {{"id", manifest.run},
                 {"epoch", manifest.epoch},
                 {"hash", manifest.hash},
                 {"lineage", manifest.lineage}}},
               {"key",
                {{"included", manifest.key},
                 {"check_value", manifest.key_check},
                 {"from", manifest.key_from.string()}}},
               {"secondary",
                {{"engine", manifest.engine},
                 {"url", manifest.url},
                 {"books", manifest.books},
                 {"rows", Json::object()}}},
               {"files", Json::array()}};
  for (const auto& [table, rows] : manifest.rows) {
    json["secondary"]["rows"][table] = rows;
  }
  for (const auto& file : manifest.files) {
    json["files"].push_back({{"name", file.name},
                             {"from", file.from.string()},
                             {"bytes", file.bytes},
                             {"sha256", file.sha256}});
  }
  return json;
}

std::string dumped(const Json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace);
}

std::string mac_of(const Manifest& manifest, const mask::Keyring& keyring) {
  const auto text = dumped(json_of(manifest));
  const auto key = keyring.purpose_key(kPurpose);
  return hex(siphash128(key, {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}));
}

/// A name that leads to a file in the backup and nowhere else.
bool stays_inside(const std::string& name) {
  const fs::path path(name);
  return !name.empty() && path.is_relative() &&
         std::ranges::none_of(path, [](const fs::path& part) { return part == ".."; });
}

/// Empty, or a whole path on one line.
bool is_place(const fs::path& path) {
  return path.empty() || (path.is_absolute() && std::ranges::none_of(path.native(), [](char c) {
                            return static_cast<unsigned char>(c) < ' ';
                          }));
}

Manifest manifest_from(const Json& json) {
  const auto& run = json.at("run");
  const auto& key = json.at("key");
  const auto& secondary = json.at("secondary");
  Manifest manifest{.made = json.at("made"),
                    .pairing = json.at("pairing"),
                    .run = run.at("id"),
                    .epoch = run.at("epoch"),
                    .hash = run.at("hash"),
                    .lineage = run.at("lineage"),
                    .key = key.at("included"),
                    .key_check = key.at("check_value"),
                    .key_from = key.at("from").get<std::string>(),
                    .engine = secondary.at("engine"),
                    .url = secondary.at("url"),
                    .books = secondary.at("books"),
                    .rows = {},
                    .files = {},
                    .mac = json.at("mac")};
  for (const auto& [table, rows] : secondary.at("rows").items()) {
    manifest.rows[table] = rows.get<std::int64_t>();
  }
  for (const auto& file : json.at("files")) {
    manifest.files.push_back({.name = file.at("name"),
                              .from = file.at("from").get<std::string>(),
                              .bytes = file.at("bytes"),
                              .sha256 = file.at("sha256")});
  }
  return manifest;
}

[[noreturn]] void damaged(const fs::path& file, std::string_view what) {
  throw Failure(Code::integrity, fmt::format("the backup is damaged: '{}' {}", file.string(), what),
                kTakeAnother);
}

}  // namespace

std::string_view name_of_copy(Engine engine) {
  return traits(engine).is_file ? "secondary.db" : "secondary.dump";
}

const BackedUpFile* Manifest::find(std::string_view name) const {
  const auto found = std::ranges::find(files, name, &BackedUpFile::name);
  return found == files.end() ? nullptr : &*found;
}

const BackedUpFile& Manifest::file(std::string_view name) const {
  if (const auto* found = find(name)) {
    return *found;
  }
  throw Failure(Code::integrity, fmt::format("the backup is damaged: it has no '{}'", name),
                kTakeAnother);
}

std::string text_of(const Manifest& manifest, const mask::Keyring& keyring) {
  auto json = json_of(manifest);
  json["mac"] = mac_of(manifest, keyring);
  return dumped(json) + "\n";
}

std::vector<UnfinishedBackup> unfinished_backups(const fs::path& directory) {
  std::vector<UnfinishedBackup> found;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(directory, error)) {
    const auto name = entry.path().filename().string();
    const auto at = name.rfind(kUnfinishedName);
    if (at == std::string::npos || entry.is_symlink(error) || !entry.is_directory(error)) {
      continue;
    }
    UnfinishedBackup one{.directory = entry.path()};
    const char* const end = name.data() + name.size();
    const auto [rest, wrong] =
        std::from_chars(name.data() + at + kUnfinishedName.size(), end, one.process);
    if (wrong == std::errc{} && rest == end && one.process > 0) {
      found.push_back(std::move(one));
    }
  }
  return found;
}

Manifest read_manifest(const fs::path& directory) {
  const auto file = directory / kManifestFile;
  std::error_code error;
  std::ifstream in;
  if (fs::is_regular_file(fs::symlink_status(file, error))) {
    contract::expect_own(file, "the backup");
    in.open(file, std::ios::binary);
  }
  if (!in.is_open()) {
    throw Failure(
        Code::usage,
        fmt::format("'{}' is no backup: it has no {}", directory.string(), kManifestFile),
        "name the directory that `abgleich backup` has made. A name that ends in .new and "
        "a number is a backup that was not finished");
  }
  const std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  const auto json = parse_shallow<Json>(text);
  try {
    if (!json.is_object()) {
      damaged(file, "is not as it was written");
    }
    if (const std::string format = json.at("format"); format != kFormat) {
      throw Failure(
          Code::configuration,
          fmt::format("'{}' is of another version of abgleich: its format is {}, and this "
                      "one knows '{}'",
                      file.string(), contract::in_quotes(format), kFormat),
          "use that version (which this is: abgleich --version). Nothing was changed");
    }
    auto manifest = manifest_from(json);
    for (const auto& one : manifest.files) {
      if (!stays_inside(one.name)) {
        damaged(file, "names a file outside of it");
      }
      if (!is_place(one.from)) {
        damaged(file, "names a place that no file can have");
      }
      contract::expect_own(directory / one.name, "the backup");
    }
    return manifest;
  } catch (const Json::exception&) {
    damaged(file, "is not as it was written");
  }
}

void expect_whole(const fs::path& directory, const Manifest& manifest) {
  for (const auto& one : manifest.files) {
    const auto file = directory / one.name;
    try {
      const auto sum = sha256_of(file);
      if (sum != one.sha256) {
        damaged(file, "is not as it was written");
      }
    } catch (const std::system_error& error) {
      damaged(file, "cannot be read: " + error.code().message());
    }
  }
  for (const auto& entry : fs::recursive_directory_iterator(directory)) {
    const auto name = entry.path().lexically_relative(directory).generic_string();
    if (!entry.is_directory() && name != kManifestFile && name != kUnfinishedMark &&
        manifest.find(name) == nullptr) {
      damaged(entry.path(), "does not belong to it");
    }
  }
}

void expect_genuine(const Manifest& manifest, const mask::Keyring& keyring) {
  const auto epoch = keyring.epoch_of(manifest.key_check);
  if (!epoch) {
    throw Failure(
        Code::key_or_trust, "the backup was made with another key",
        "put the key of that time where [keys] file in abgleich.toml says; what a key is: "
        "abgleich keys check. Nothing was changed");
  }
  if (mac_of(manifest, keyring.until(*epoch)) != manifest.mac) {
    throw Failure(Code::integrity,
                  fmt::format("the backup is damaged: somebody without the key has changed {}",
                              kManifestFile),
                  kTakeAnother);
  }
}

void expect_genuine(const Manifest& manifest, const fs::path& key_file) {
  expect_genuine(manifest, mask::Keyring::read(key_file));
}

}  // namespace abgleich::sync
