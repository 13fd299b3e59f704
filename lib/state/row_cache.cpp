#include "state/row_cache.hpp"

#include "core/hex.hpp"
#include "core/shallow_json.hpp"

#include <nlohmann/json.hpp>
#include <sodium.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <set>
#include <sstream>
#include <sys/stat.h>
#include <unistd.h>

namespace abgleich::state {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kCacheFormat = "abgleich.cache/1";
constexpr const char* kIndex = "index";
constexpr std::size_t kMostKeyBytes = std::size_t{1} << 26U;  // no key is longer

std::string seal_of(std::string_view text, const CacheKey& key) {
  std::array<unsigned char, crypto_generichash_BYTES> mac;
  crypto_generichash(mac.data(), mac.size(), reinterpret_cast<const unsigned char*>(text.data()),
                     text.size(), key.data(), key.size());
  return hex(mac);
}

Json json_of(const CachedTable& table) {
  Json json = {{"tracked", table.tracked},
               {"layout", table.layout},
               {"main", table.main},
               {"touched", table.touched},
               {"main_rows", table.main_rows},
               {"touched_rows", table.touched_rows},
               {"rows", table.rows},
               {"last_full", table.last_full},
               {"by_versions", table.by_versions}};
  if (table.versions) {
    json["versions"] = {{"facts", table.versions->facts},
                        {"horizon", table.versions->horizon},
                        {"next", table.versions->next},
                        {"places", table.versions->places}};
  }
  return json;
}

CachedTable table_of(const Json& json) {
  CachedTable table{.tracked = json.at("tracked"),
                    .layout = json.at("layout"),
                    .main = json.at("main"),
                    .touched = json.at("touched"),
                    .main_rows = json.at("main_rows"),
                    .touched_rows = json.at("touched_rows"),
                    .rows = json.at("rows"),
                    .by_versions = json.at("by_versions"),
                    .last_full = json.at("last_full")};
  if (json.contains("versions")) {
    const auto& versions = json.at("versions");
    table.versions = VersionMark{.facts = versions.at("facts"),
                                 .horizon = versions.at("horizon"),
                                 .next = versions.at("next"),
                                 .places = versions.at("places")};
  }
  return table;
}

void append_word(std::uint64_t word, std::string& out) {
  std::array<char, 8> bytes;
  std::memcpy(bytes.data(), &word, bytes.size());  // native order: used on this machine only
  out.append(bytes.data(), bytes.size());
}

std::uint64_t word_at(std::string_view bytes, std::size_t at) {
  std::uint64_t word = 0;
  std::memcpy(&word, bytes.data() + at, sizeof word);
  return word;
}

void append_known(const KnownRow& row, std::string& out) {
  for (const auto word : {row.row.low, row.row.high, row.key.low, row.key.high,
                          static_cast<std::uint64_t>(row.key_bytes.size())}) {
    append_word(word, out);
  }
  out += row.key_bytes;
}

void take_known(SealedReader& file, KnownRow& row) {
  const auto head = file.take(40);
  row.row = {.low = word_at(head, 0), .high = word_at(head, 8)};
  row.key = {.low = word_at(head, 16), .high = word_at(head, 24)};
  const auto size = word_at(head, 32);
  if (size > kMostKeyBytes) {
    throw CacheUnusable("a file of the cache is damaged");
  }
  row.key_bytes = file.take(size);
}

}  // namespace

const CachedTable* CacheIndex::find(std::int64_t tracked) const {
  const auto found = std::ranges::find(tables, tracked, &CachedTable::tracked);
  return found == tables.end() ? nullptr : &*found;
}

RowCache::RowCache(const std::filesystem::path& state, const CacheKey& key)
    : directory_(state / "cache") {
  *key_ = key;
}

std::filesystem::path RowCache::path(const std::string& name) const {
  return directory_ / name;
}

std::string RowCache::new_name(std::string_view what, std::int64_t tracked) const {
  ::mkdir(directory_.c_str(), 0700);  // it may be there; if this fails, so does making the file
  std::array<unsigned char, 8> bytes;
  randombytes_buf(bytes.data(), bytes.size());
  return std::string(what) + "_" + std::to_string(tracked) + "_" + hex(bytes);
}

std::optional<CacheIndex> RowCache::read_index() const {
  std::ifstream file(directory_ / kIndex, std::ios::binary);
  if (!file) {
    return std::nullopt;
  }
  std::ostringstream whole;
  whole << file.rdbuf();
  const auto text = whole.str();
  const auto line = text.find('\n');
  if (line == std::string::npos || text.substr(line + 1) != seal_of(text.substr(0, line), key_)) {
    throw CacheUnusable("the cache's index is damaged, or was made with another key");
  }
  const auto json = parse_shallow<Json>(text.substr(0, line));
  try {
    if (json.at("format") != kCacheFormat) {
      throw CacheUnusable("the cache is of another format");
    }
    CacheIndex index{.head = {.lineage = json.at("lineage"),
                              .epoch = json.at("epoch"),
                              .hash = json.at("hash")}};
    for (const auto& table : json.at("tables")) {
      index.tables.push_back(table_of(table));
    }
    return index;
  } catch (const nlohmann::json::exception&) {
    throw CacheUnusable("the cache is of another format");
  }
}

void RowCache::write_index(const CacheIndex& index) const {
  Json json = {{"format", kCacheFormat},
               {"lineage", index.head.lineage},
               {"epoch", index.head.epoch},
               {"hash", index.head.hash},
               {"tables", Json::array()}};
  std::set<std::string> named{kIndex};
  for (const auto& table : index.tables) {
    json["tables"].push_back(json_of(table));
    named.insert(table.main);
    named.insert(table.touched);
  }
  const auto line = json.dump();
  const auto text = line + "\n" + seal_of(line, key_);
  ::mkdir(directory_.c_str(), 0700);
  const auto path = directory_ / kIndex;
  const auto fresh = directory_ / "index.new";
  const int file =
      ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
  const bool written =
      file >= 0 && ::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
      ::fsync(file) == 0;
  if (file >= 0) {
    ::close(file);
  }
  if (!written || ::rename(fresh.c_str(), path.c_str()) != 0) {
    throw CacheUnusable("the cache's index cannot be written");
  }
  if (const int parent = ::open(directory_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
      parent >= 0) {
    ::fsync(parent);
    ::close(parent);
  }
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(directory_, ignored)) {
    if (!named.contains(entry.path().filename().string())) {
      std::filesystem::remove(entry.path(), ignored);
    }
  }
}

void RowCache::clear() const noexcept {
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

void KnownRowWriter::add(const KnownRow& row) {
  record_.clear();
  append_known(row, record_);
  file_.add(record_);
}

void KnownRowWriter::add(const TouchedRow& row) {
  record_.assign(1, static_cast<char>(row.state));
  append_known(row.known, record_);
  file_.add(record_);
}

bool KnownRowReader::next(KnownRow& row) {
  if (file_.at_end()) {
    return false;
  }
  take_known(file_, row);
  return true;
}

bool KnownRowReader::next(TouchedRow& row) {
  if (file_.at_end()) {
    return false;
  }
  const char state = file_.take(1).front();
  if (std::string_view("soga").find(state) == std::string_view::npos) {
    throw CacheUnusable("a file of the cache is damaged");
  }
  row.state = static_cast<TouchedRow::State>(state);
  take_known(file_, row.known);
  return true;
}

}  // namespace abgleich::state
