// A primary's schema as its vendor changes it: identity numbers behave as PostgreSQL's do (never
// used twice, kept by every rename).
#pragma once

#include "core/catalog.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace abgleich::drift::tests {

/// "character varying(64)", "numeric(10,2)", "int4", … and anything else as family `other`.
Type type_of(std::string_view native);

struct NewColumn {
  std::string name;
  std::string type;
  bool nullable = true;
};

class Vendor {
 public:
  Vendor();

  [[nodiscard]] const Catalog& catalog() const { return catalog_; }
  [[nodiscard]] CatalogTable& table(std::string_view name);
  [[nodiscard]] CatalogColumn& column(std::string_view table, std::string_view name);

  void create_table(const std::string& name, const std::vector<NewColumn>& columns);
  void drop_table(std::string_view name);
  void rename_table(std::string_view name, const std::string& to);
  void add_column(std::string_view table, const NewColumn& column);
  void drop_column(std::string_view table, std::string_view name);
  void rename_column(std::string_view table, std::string_view name, const std::string& to);
  void drop_constraint(std::string_view table, std::string_view name);

  /// What pg_dump and a restore make of it: another database, and every identity a new one.
  [[nodiscard]] Catalog restored() const;

 private:
  void sort();

  Catalog catalog_;
  std::int64_t next_table_ = 16384;
  std::vector<std::pair<std::int64_t, std::int64_t>> next_column_;  // by the table's identity
};

}  // namespace abgleich::drift::tests
