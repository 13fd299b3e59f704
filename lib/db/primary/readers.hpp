// Several connections that read one table of the primary at once, in one snapshot, where the engine
// can do that. The rows still come in the table's order: the number of connections changes only the
// time that it takes.
#pragma once

#include "core/fingerprint.hpp"
#include "db/engine/connection.hpp"
#include "db/primary/source.hpp"

#include <cstdint>
#include <functional>
#include <optional>
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
    few,    // only few of many rows are sent
  };
  struct Reading {
    std::int64_t table = 0;                // its number in the catalogue
    std::optional<std::uint64_t> pages{};  // how large it is, if that is known already
    Share share = Share::whole;
    std::string touch;  // SQL that reads no row of the table, and locks it
    std::function<std::string(std::string_view condition)> select;  // SQL: the rows that meet it
    Connection::Leading leading;
  };
  using OnCells = std::function<void(std::span<const Cell>, const RowMark&)>;

  /// Like Connection::read_unknown, but the readers make the fingerprints. `known` and `row` are
  /// called in the caller's thread, in the table's order. False: nothing was read, since one
  /// connection is as good (a small table, a view) or only one can read (an old server). Throws the
  /// Fault of the reader that failed.
  virtual bool read(const Reading& reading, const Fingerprinter& fingerprinter,
                    const Source::IsKnown& known, const OnCells& row) = 0;

  /// Why fewer connections read than are allowed to; empty where that is not so.
  [[nodiscard]] virtual const std::string& shortfall() const = 0;
};

}  // namespace abgleich::db
