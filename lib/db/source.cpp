#include "db/source.hpp"

#include "db/statements.hpp"

namespace abgleich::db {

Source::Source(const Endpoint& endpoint) : session_(open(endpoint, Access::read)) {
  begin_snapshot(session_);
}

Source::~Source() {
  rollback(session_);
}

const Catalog& Source::catalog() {
  if (!catalog_read_) {
    catalog_ = read_catalog(session_);
    catalog_read_ = true;
  }
  return catalog_;
}

void Source::read(const std::string& table, const std::vector<const CatalogColumn*>& columns,
                  const std::function<void(const RawRow&)>& on_row) {
  RawRow row;
  row.cells.resize(columns.size());
  std::string scratch;
  session_.connection->read(select_columns(*session_.dialect, session_.schema, table, columns),
                            [&](std::span<const Cell> cells) {
                              for (std::size_t i = 0; i < columns.size(); ++i) {
                                if (cells[i].storage == Cell::Storage::null) {
                                  row.cells[i].set_null();
                                  continue;
                                }
                                const auto value =
                                    session_.dialect->decode(columns[i]->type, cells[i], scratch);
                                row.cells[i].set(value.kind, value.bytes);
                              }
                              on_row(row);
                            });
}

}  // namespace abgleich::db
