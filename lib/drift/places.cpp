#include "drift/places.hpp"

#include <algorithm>
#include <cctype>
#include <string>

namespace abgleich::drift {

namespace {

std::size_t at(const CatalogTable& table, std::string_view name) {
  return static_cast<std::size_t>(std::ranges::find(table.columns, name, &CatalogColumn::name) -
                                  table.columns.begin());
}

bool same_word(std::string_view one, std::string_view other) {
  return std::ranges::equal(one, other, [](unsigned char a, unsigned char b) {
    return std::tolower(a) == std::tolower(b);
  });
}

bool in_key(const CatalogTable& table, const std::string& name) {
  return table.primary_key &&
         std::ranges::find(table.primary_key->columns, name) != table.primary_key->columns.end();
}

/// Whether all is equal that stands after the name in CREATE TABLE, as far as a catalogue knows it.
bool same_definition(const CatalogTable& one, const CatalogColumn& a, const CatalogTable& other,
                     const CatalogColumn& b) {
  return same_word(a.type.native, b.type.native) && a.nullable == b.nullable &&
         a.generated == b.generated && a.default_value == b.default_value &&
         same_word(a.collation, b.collation) && in_key(one, a.name) == in_key(other, b.name);
}

}  // namespace

Places::Places(const CatalogTable& accepted, const CatalogTable& live)
    : accepted_(accepted),
      live_(live),
      gone_(static_cast<std::size_t>(std::ranges::count_if(
          accepted.columns, [this](const auto& column) { return gone(column); }))) {
  places_.resize(accepted.columns.size());
  for (auto i = accepted.columns.size(); i-- > 0;) {
    places_[i] = gone(accepted.columns[i]) ? Place::moved : judge(i);
  }
}

Places::Place Places::of(std::string_view name) const {
  return places_[accepted_at(name)];
}

std::size_t Places::accepted_at(std::string_view name) const {
  return at(accepted_, name);
}

std::size_t Places::live_at(std::string_view name) const {
  return at(live_, name);
}

bool Places::gone(const CatalogColumn& accepted) const {
  return live_.find_column(accepted.name) == nullptr;
}

std::size_t Places::gaps_before(std::size_t accepted) const {
  return static_cast<std::size_t>(std::count_if(
      accepted_.columns.begin(), accepted_.columns.begin() + static_cast<std::ptrdiff_t>(accepted),
      [&](const auto& column) { return gone(column); }));
}

bool Places::reaches(std::size_t from, std::size_t gaps, std::size_t to) const {
  return to <= from && from - to <= gaps;
}

bool Places::out_of_order(std::string_view name) const {
  const auto was = accepted_at(name);
  const auto is = live_at(name);
  return std::ranges::any_of(accepted_.columns, [&](const CatalogColumn& other) {
    return !gone(other) && (accepted_at(other.name) < was) != (live_at(other.name) < is) &&
           other.name != name;
  });
}

/// Whether a column after this one has kept its place: it would have moved if this one had been
/// dropped.
bool Places::followed_by_kept(std::size_t accepted) const {
  for (auto i = accepted + 1; i < std::min(accepted_.columns.size(), live_.columns.size()); ++i) {
    if (live_.columns[i].name == accepted_.columns[i].name && places_[i] == Place::kept) {
      return true;
    }
  }
  return false;
}

/// REQUIRES: the columns after it are judged.
Places::Place Places::judge(std::size_t was) const {
  const auto& column = accepted_.columns[was];
  const auto is = live_at(column.name);
  if (gone_ == 0) {
    return was == is ? Place::kept : Place::moved;
  }
  if (!reaches(was, gaps_before(was), is) || out_of_order(column.name)) {
    return Place::moved;
  }
  const auto& live = live_.columns[is];
  const bool another =
      !followed_by_kept(was) && std::ranges::any_of(accepted_.columns, [&](const auto& other) {
        return gone(other) && could_be(other, live);
      });
  if (!another) {
    return Place::kept;
  }
  return same_definition(accepted_, column, live_, live) ? Place::doubtful : Place::moved;
}

bool Places::could_be(const CatalogColumn& accepted, const CatalogColumn& live) const {
  const auto was = accepted_at(accepted.name);
  const auto of_name = accepted_at(live.name);
  // if another column has this name now, the one that had it before is gone, too
  const std::size_t more = of_name < was && of_name < accepted_.columns.size() ? 1 : 0;
  return reaches(was, gaps_before(was) + more, live_at(live.name)) &&
         same_definition(accepted_, accepted, live_, live);
}

const CatalogColumn* Places::now(const CatalogColumn& accepted) const {
  const auto was = accepted_at(accepted.name);
  return gone_ == 0 && was < live_.columns.size() ? &live_.columns[was] : nullptr;
}

const CatalogColumn* Places::before(const CatalogColumn& live) const {
  const auto is = live_at(live.name);
  return gone_ == 0 && is < accepted_.columns.size() ? &accepted_.columns[is] : nullptr;
}

}  // namespace abgleich::drift
