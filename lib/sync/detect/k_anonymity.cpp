#include "sync/detect/k_anonymity.hpp"

#include "core/digest.hpp"
#include "journal/quarantine_cause.hpp"
#include "mask/masker.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace abgleich::sync {

using journal::QuarantineCause;

namespace {

std::vector<std::size_t> places_of(const std::vector<std::string>& names,
                                   const std::vector<const contract::Column*>& columns) {
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (std::ranges::find(names, columns[i]->name) != names.end()) {
      places.push_back(i);
    }
  }
  return places;
}

}  // namespace

KAnonymity::KAnonymity(db::Source& source, const ExportedTable& exported,
                       const mask::Keyring& keyring)
    : min_k_(exported.table->min_k) {
  const auto& table = *exported.table;
  if (min_k_ < 2 || table.quasi_identifiers.empty()) {
    return;  // no row is rare
  }
  quasi_ = places_of(table.quasi_identifiers, exported.columns);

  std::vector<const contract::Column*> columns;
  std::vector<const CatalogColumn*> sources;
  std::vector<Type> types;
  for (std::size_t i = 0; i < exported.columns.size(); ++i) {
    if (exported.columns[i]->name == table.subject ||
        std::ranges::find(quasi_, i) != quasi_.end()) {
      columns.push_back(exported.columns[i]);
      sources.push_back(exported.sources[i]);
      types.push_back(exported.sources[i]->type);
    }
  }
  auto masked = table;
  masked.key.clear();  // a row without a usable key counts, too
  mask::Masker masker(masked, columns, types, keyring);
  const auto quasi = places_of(table.quasi_identifiers, columns);
  const auto subject = places_of({table.subject}, columns);
  std::vector<std::pair<std::uint64_t, std::uint64_t>> seen;  // combination, subject
  Row row;
  source.read(table.name, sources, [&](const RawRow& raw) {
    if (masker.mask(raw, row).refusal) {
      return;  // it is held back anyway
    }
    const auto group = group_of(row, quasi);
    if (subject.empty() || row.cells[subject.front()].is_null()) {
      ++subjects_[group];
    } else {
      seen.emplace_back(group, fingerprint(row.cells[subject.front()].bytes()));
    }
  });
  std::ranges::sort(seen);
  seen.erase(std::unique(seen.begin(), seen.end()), seen.end());
  for (const auto& [group, one] : seen) {
    ++subjects_[group];
  }
}

std::uint64_t KAnonymity::group_of(const Row& row, const std::vector<std::size_t>& columns) {
  bytes_.clear();
  for (const auto i : columns) {
    append_key_bytes(row.cells[i], bytes_);
  }
  return fingerprint(bytes_);
}

bool KAnonymity::rare(const Row& row) {
  if (quasi_.empty()) {
    return false;
  }
  const auto found = subjects_.find(group_of(row, quasi_));
  return found == subjects_.end() || found->second < min_k_;
}

std::string rarity_reason(const contract::Table& table) {
  return table.min_k < 2 || table.quasi_identifiers.empty()
             ? text_of(QuarantineCause::belongs_to_rare)
             : text_of(QuarantineCause::rare, std::to_string(table.min_k));
}

std::string still_there_reason(const contract::Table& table) {
  return journal::still_there(rarity_reason(table));
}

}  // namespace abgleich::sync
