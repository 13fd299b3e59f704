// Several connections that read one table of the primary at once, in one snapshot: the first
// exports it (pg_export_snapshot), the others import it, and each reads ranges of the table's
// pages. The rows come in the table's order all the same, and whether several read or one decides
// nothing but the time it takes.
#pragma once

#include "core/endpoint.hpp"
#include "db/postgresql/postgres_connection.hpp"
#include "db/session.hpp"
#include "db/source.hpp"

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace abgleich::db::postgresql {

/// The readers beside a Source's own connection. They are called when the first table of some size
/// is read, and stay until this ends.
class Readers {
 public:
  /// `first` outlives this, and is in the snapshot that all shall read for as long as this lives.
  Readers(const Endpoint& endpoint, PostgresConnection& first);
  ~Readers();
  Readers(const Readers&) = delete;
  Readers& operator=(const Readers&) = delete;

  enum class Share : std::uint8_t {
    whole,  // every row is sent
    few,    // few of many rows are
  };
  struct Reading {
    std::int64_t table = 0;  // oid
    Share share = Share::whole;
    std::string touch;  // SQL that reads no row of the table, and locks it
    std::function<std::string(std::string_view condition)> select;  // the rows that meet it
    Connection::Leading leading;
  };
  using OnCells = std::function<void(std::span<const Cell>, const RowMark&)>;

  /// As Connection::read_unknown, with the fingerprints made by the readers; `known` and `row` are
  /// called here, in the table's order. False: nothing was read, for one connection does as well
  /// (a small table, a view, an old server) or there is only one. Throws the Fault of whichever
  /// reader had one.
  bool read(const Reading& reading, const Fingerprinter& fingerprinter,
            const Source::IsKnown& known, const OnCells& row);

  /// Why fewer read than are allowed to; empty where they do not.
  [[nodiscard]] const std::string& shortfall() const { return shortfall_; }

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
