// Several connections that read one table of the primary at once, in one snapshot, where an engine
// can. The rows come in the table's order nevertheless, and whether several read or one decides
// nothing but the time it takes.
#pragma once

#include "core/fingerprint.hpp"
#include "db/engine/connection.hpp"
#include "db/primary/source.hpp"

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>

namespace abgleich::db {

/// The readers beside a Source's own connection.
class Readers {
 public:
  virtual ~Readers() = default;

  enum class Share : std::uint8_t {
    whole,  // every row is sent
    few,    // few of many rows are
  };
  struct Reading {
    std::int64_t table = 0;  // its number in the catalogue
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
  virtual bool read(const Reading& reading, const Fingerprinter& fingerprinter,
                    const Source::IsKnown& known, const OnCells& row) = 0;

  /// Why fewer read than are allowed to; empty where they do not.
  [[nodiscard]] virtual const std::string& shortfall() const = 0;
};

}  // namespace abgleich::db
