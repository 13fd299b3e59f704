// What the places of a table's columns tell where columns have no identity of their own (SQLite):
// ALTER TABLE renames a column where it stands, adds one at the end, and closes the gap of one that
// it drops. A name that stands elsewhere is another column's now.
#pragma once

#include "core/catalog.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace abgleich::drift {

class Places {
 public:
  Places(const CatalogTable& accepted, const CatalogTable& live);

  enum class Place : std::uint8_t {
    kept,      // where it was, or where it must be once what was dropped is gone
    doubtful,  // so too, but it could as well be a column that is gone under its name
    moved,     // somewhere else: the name belongs to another column
  };
  /// REQUIRES: both tables have a column of this name.
  [[nodiscard]] Place of(std::string_view name) const;

  /// Whether a live column can be an accepted one by where it stands and what it is.
  [[nodiscard]] bool could_be(const CatalogColumn& accepted, const CatalogColumn& live) const;

  /// The live column that stands where the accepted one stood, and the other way round; null where
  /// columns are gone, so that no place says anything for certain.
  [[nodiscard]] const CatalogColumn* now(const CatalogColumn& accepted) const;
  [[nodiscard]] const CatalogColumn* before(const CatalogColumn& live) const;

 private:
  [[nodiscard]] std::size_t accepted_at(std::string_view name) const;
  [[nodiscard]] std::size_t live_at(std::string_view name) const;
  [[nodiscard]] bool gone(const CatalogColumn& accepted) const;
  /// How far the columns before this one can have closed up.
  [[nodiscard]] std::size_t gaps_before(std::size_t accepted) const;
  [[nodiscard]] bool reaches(std::size_t from, std::size_t gaps, std::size_t to) const;
  [[nodiscard]] Place judge(std::size_t was) const;
  [[nodiscard]] bool followed_by_kept(std::size_t accepted) const;
  [[nodiscard]] bool out_of_order(std::string_view name) const;

  const CatalogTable& accepted_;
  const CatalogTable& live_;
  std::size_t gone_ = 0;
  std::vector<Place> places_;  // of the accepted columns
};

}  // namespace abgleich::drift
