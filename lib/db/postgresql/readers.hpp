// The readers of PostgreSQL: the first connection exports its snapshot (pg_export_snapshot), the
// others import it, and each reads ranges of the table's pages.
#pragma once

#include "core/endpoint.hpp"
#include "db/engine/session.hpp"
#include "db/postgresql/postgres_connection.hpp"
#include "db/primary/readers.hpp"

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace abgleich::db::postgresql {

/// The others connect when the first large table is read, and stay until this is destroyed.
class Readers final : public db::Readers {
 public:
  /// `first` outlives this, and stays in the snapshot that all of them read.
  Readers(const Endpoint& endpoint, PostgresConnection& first);
  ~Readers() override;
  Readers(const Readers&) = delete;
  Readers& operator=(const Readers&) = delete;

  bool read(const Reading& reading, const Fingerprinter& fingerprinter,
            const Source::IsKnown& known, const OnCells& row) override;

  [[nodiscard]] const std::string& shortfall() const override { return shortfall_; }

 private:
  void call();
  [[nodiscard]] std::uint64_t pages_to_share(const Reading& reading);

  const Endpoint& endpoint_;
  PostgresConnection& first_;
  std::vector<Session> others_;
  bool called_ = false;
  std::string shortfall_;
};

}  // namespace abgleich::db::postgresql
