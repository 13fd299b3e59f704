#include "sync/run/rare_keys.hpp"

#include "journal/record.hpp"
#include "state/sealed_file.hpp"
#include "sync/run/sealed_key.hpp"

#include <algorithm>
#include <system_error>

namespace abgleich::sync {

namespace {

constexpr const char* kName = "rare_keys";
constexpr std::size_t kNumber = sizeof(std::uint64_t);

std::filesystem::path file_of(const Pairing& pairing) {
  return pairing.config.state_directory / kName;
}

void add_number(std::uint64_t number, std::string& bytes) {
  for (unsigned shift = 0; shift < 8 * kNumber; shift += 8) {
    bytes += static_cast<char>((number >> shift) & 0xffU);
  }
}

std::uint64_t take_number(state::SealedReader& reader) {
  const auto bytes = reader.take(kNumber);
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < kNumber; ++i) {
    number |= static_cast<std::uint64_t>(static_cast<unsigned char>(bytes[i])) << (8 * i);
  }
  return number;
}

}  // namespace

std::vector<RareKey> read_rare_keys(const Pairing& pairing) {
  std::vector<RareKey> keys;
  const auto file = file_of(pairing);
  std::error_code unreadable;
  if (!std::filesystem::exists(file, unreadable) || unreadable) {
    return keys;
  }
  const auto keyring = read_keyring(pairing.config);
  try {
    state::SealedReader reader(file, sealed_key(keyring, "rare"), kName);
    while (!reader.at_end()) {
      RareKey key;
      key.tracked = static_cast<std::int64_t>(take_number(reader));
      key.still_there = take_number(reader) != 0;
      const auto size = take_number(reader);
      key.key_text = std::string(reader.take(size));
      keys.push_back(std::move(key));
    }
  } catch (const state::CacheUnusable&) {
    keys.clear();  // the file was written with another key, or its end is missing
  }
  return keys;
}

RareKeys::RareKeys(const Pairing& pairing, const mask::Keyring& keyring)
    : keyring_(keyring), file_(file_of(pairing)), next_(file_of(pairing).concat(".new")) {}

void RareKeys::collect(const std::vector<LocatedTable>& tables, const std::vector<Judged>& judged) {
  any_ = std::ranges::any_of(judged, [](const Judged& one) { return one.staged.rare > 0; });
  if (!any_) {
    return;
  }
  std::error_code absent;
  std::filesystem::remove(next_, absent);
  state::SealedWriter writer(next_, sealed_key(keyring_, "rare"), kName);
  std::string bytes;
  for (std::size_t i = 0; i < tables.size(); ++i) {
    if (judged[i].staged.rare == 0) {
      continue;
    }
    const auto& relation = tables[i].relation;
    judged[i].table->rare_rows([&](const db::RareRow& row) {
      const auto text = journal::key_text(relation, row.key);
      bytes.clear();
      add_number(static_cast<std::uint64_t>(relation.id), bytes);
      add_number(row.in_secondary ? 1 : 0, bytes);
      add_number(text.size(), bytes);
      writer.add(bytes + text);
    });
  }
  writer.finish();
}

void RareKeys::keep() {
  std::error_code absent;
  if (any_) {
    std::filesystem::rename(next_, file_, absent);
  } else {
    std::filesystem::remove(file_, absent);
  }
}

}  // namespace abgleich::sync
