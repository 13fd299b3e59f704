#include "drift/places.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace abgleich::drift {

namespace {

using Place = Places::Place;

/// "a", "b:INTEGER": names with a declared type, TEXT unless said.
CatalogTable table_of(const std::vector<std::string>& columns) {
  CatalogTable table{.name = "person"};
  for (const auto& text : columns) {
    const auto colon = text.find(':');
    CatalogColumn column{.name = text.substr(0, colon)};
    column.type.engine = Engine::sqlite;
    column.type.native = colon == std::string::npos ? "TEXT" : text.substr(colon + 1);
    table.columns.push_back(column);
  }
  table.primary_key = CatalogKey{.name = {}, .columns = {table.columns.front().name}};
  return table;
}

/// A letter a column that both have, in accepted order: k(ept), d(oubtful), m(oved).
std::string places(const std::vector<std::string>& was, const std::vector<std::string>& now) {
  const auto accepted = table_of(was);
  const auto live = table_of(now);
  const Places places(accepted, live);
  std::string letters;
  for (const auto& column : accepted.columns) {
    if (live.find_column(column.name) != nullptr) {
      const auto place = places.of(column.name);
      letters += place == Place::kept ? 'k' : place == Place::doubtful ? 'd' : 'm';
    }
  }
  return letters;
}

}  // namespace

TEST_CASE("places: what stands where it stood is what it was, whatever is added behind") {
  CHECK(places({"id", "a", "b"}, {"id", "a", "b"}) == "kkk");
  CHECK(places({"id", "a", "b"}, {"id", "a", "b", "c", "d"}) == "kkk");
}

TEST_CASE("places: names that were swapped or passed on have moved") {
  CHECK(places({"id", "a", "b"}, {"id", "b", "a"}) == "kmm");
  CHECK(places({"id", "a", "b", "c"}, {"id", "c", "b", "a"}) == "kmkm");
  CHECK(places({"id", "a", "b", "c"}, {"id", "b", "c", "a"}) == "kmmm");
  CHECK(places({"id", "a", "b"}, {"id", "b", "a", "c"}) == "kmm");
  CHECK(places({"id", "a", "z", "b"}, {"id", "b", "a"}) == "kmm");
}

TEST_CASE("places: dropped and added anew is behind those that it stood before") {
  CHECK(places({"id", "a", "b"}, {"id", "b", "a"}) == "kmm");
  CHECK(places({"id", "a", "b", "c"}, {"id", "b", "c", "a"}) == "kmmm");
}

TEST_CASE(
    "places: the gap of a dropped column closes, and only another type proves who closed it") {
  CHECK(places({"id", "a", "b:INTEGER"}, {"id", "b:INTEGER"}) == "kk");
  CHECK(places({"id", "a", "b:INTEGER"}, {"id", "b:TEXT"}) == "km");  // a under b's name
  CHECK(places({"id", "a", "b"}, {"id", "b"}) == "kd");
  CHECK(places({"id", "b", "a"}, {"id", "b"}) == "kd");
  CHECK(places({"id:INTEGER", "a", "b"}, {"id:INTEGER", "a"}) == "kd");
  CHECK(places({"id", "a", "c:INTEGER", "b"}, {"id", "a", "b"}) == "kkk");
}

TEST_CASE(
    "places: a column that was renamed where it stands leaves no doubt about its neighbours") {
  CHECK(places({"id", "a", "b", "n:INTEGER"}, {"id", "a", "c", "n:INTEGER"}) == "kkk");
  CHECK(places({"id", "a", "b"}, {"id", "a", "c"}) == "kd");  // or a was dropped, b is a, c is new
}

}  // namespace abgleich::drift
