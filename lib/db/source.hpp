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

class Source {
 public:
  /// Connects and begins the snapshot that everything is read in. Throws Fault.
  explicit Source(const Endpoint& endpoint);
  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;
  ~Source();

  /// The catalogue as the snapshot has it; read once.
  [[nodiscard]] const Catalog& catalog();

  /// Streams the rows of one table or view in the engine's own order: `columns` and nothing else is
  /// selected. The row is reused between calls.
  void read(const std::string& table, const std::vector<const CatalogColumn*>& columns,
            const std::function<void(const RawRow&)>& on_row);

 private:
  Session session_;
  Catalog catalog_;
  bool catalog_read_ = false;
};

}  // namespace abgleich::db
