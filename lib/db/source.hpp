// The primary: one read-only snapshot, from which rows of named columns are streamed.
#pragma once

#include "core/catalog.hpp"
#include "core/endpoint.hpp"
#include "core/value.hpp"
#include "db/session.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace abgleich::db {

/// What is to be read of one table, by its names in the primary.
struct Reading {
  std::string table;
  std::vector<std::string> columns;
};

class Source {
 public:
  /// Connects and begins the snapshot that everything is read in. Throws Fault.
  explicit Source(const Endpoint& endpoint);
  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;
  ~Source();

  /// The catalogue as the snapshot has it; read once.
  [[nodiscard]] const Catalog& catalog();

  /// The catalogue, and the promise that what exists of `readings` is read as it says: DDL that was
  /// committed meanwhile makes a newer snapshot, and none of it can be done before the snapshot
  /// ends. To be called before anything is read. Throws Failure{try_again} where the schema does
  /// not come to rest.
  const Catalog& fence(const std::vector<Reading>& readings);

  /// Ends the snapshot after the last row was read. Throws Fault{serialization} where the labels of
  /// an enumeration, which nothing can hold still, were changed meanwhile.
  void finish();

  /// Streams the rows of one table or view in the engine's own order: `columns` and nothing else is
  /// selected. The row is reused between calls.
  void read(const std::string& table, const std::vector<const CatalogColumn*>& columns,
            const std::function<void(const RawRow&)>& on_row);

 private:
  Session session_;
  [[nodiscard]] std::string labels_now();

  Catalog catalog_;
  bool catalog_read_ = false;
  bool labels_matter_ = false;  // some column that is read is of an enumeration
  std::string labels_;          // when the snapshot was taken
};

}  // namespace abgleich::db
