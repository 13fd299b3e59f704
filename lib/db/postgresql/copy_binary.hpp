// The binary format of COPY (PostgreSQL manual, COPY, "Binary Format"), for types whose values can
// be sent in it without a change. Pure.
#pragma once

#include "db/engine/connection.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace abgleich::db::postgresql {

enum class BinaryForm : std::uint8_t {
  bytes,    // a blob, as it is
  text,     // as it is: text, varchar, char, json
  jsonb,    // a version, and the text
  boolean,  // one byte
  int2,     // big endian, as all numbers
  int4,
  int8,
  float4,  // IEEE 754
  float8,
  numeric,    // digits to the base of 10,000
  date,       // days since 2000-01-01
  timestamp,  // microseconds since then, with and without time zone
  uuid,       // 16 bytes
};

/// The form of a type by its oid; empty for the others, which go as text.
std::optional<BinaryForm> binary_form(std::uint32_t type);
/// Whether `BinaryRows` can read it.
bool is_readable(BinaryForm form);

void append_binary_header(std::string& out);
/// Appends one row, of as many cells as forms. Each is NULL, a blob, or the text that the server
/// would print. False: a cell does not have its form, or only the server's own text parser can read
/// it (infinity, NaN, years before 1 and after 9999); nothing was appended.
[[nodiscard]] bool append_binary_row(std::span<const Cell> row, std::span<const BinaryForm> forms,
                                     std::string& out);
void append_binary_trailer(std::string& out);

/// Splits what the server sends, one row per message.
class BinaryRows {
 public:
  /// REQUIRES: all of the forms are readable.
  explicit BinaryRows(std::vector<BinaryForm> forms);

  enum class Found : std::uint8_t { row, end, malformed };
  /// The cells are as in COPY as text, except that blobs are their bytes. They point into the
  /// message, or into memory that the next call uses again.
  Found split(std::string_view message, std::vector<Cell>& cells);

 private:
  std::vector<BinaryForm> forms_;
  std::vector<std::array<char, 36>> texts_;  // room for a UUID; numbers are shorter
  bool begun_ = false;
};

}  // namespace abgleich::db::postgresql
