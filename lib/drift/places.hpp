// What the places of a table's columns tell where columns have no identity of their own (SQLite):
// ALTER TABLE renames a column in its place, adds one at the end, and closes the gap of one that it
// drops. So a name at another place now belongs to another column.
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
    kept,      // where it was, or where it has to be after the drops
    doubtful,  // the same, but it could be a column that is gone, renamed to this name
    moved,     // somewhere else: the name belongs to another column
  };
  /// REQUIRES: both tables have a column of this name.
  [[nodiscard]] Place of(std::string_view name) const;

  /// Whether the live column can be the accepted one, by its place and its definition.
  [[nodiscard]] bool could_be(const CatalogColumn& accepted, const CatalogColumn& live) const;

  /// The live column that stands where the accepted one stood, and the inverse; null where columns
  /// are gone, since then no place is certain.
  [[nodiscard]] const CatalogColumn* now(const CatalogColumn& accepted) const;
  [[nodiscard]] const CatalogColumn* before(const CatalogColumn& live) const;

 private:
  [[nodiscard]] std::size_t accepted_at(std::string_view name) const;
  [[nodiscard]] std::size_t live_at(std::string_view name) const;
  [[nodiscard]] bool gone(const CatalogColumn& accepted) const;
  /// How many columns before this one are gone: it can have moved that far to the front.
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
