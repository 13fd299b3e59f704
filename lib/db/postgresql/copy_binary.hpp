// The binary format of COPY (PostgreSQL manual, COPY, "Binary Format"), for types whose bytes are
// as good as their text. Pure.
#pragma once

#include "db/connection.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace abgleich::db::postgresql {

enum class BinaryForm : std::uint8_t {
  bytes,    // as they are: text, varchar, bytea
  boolean,  // one byte
  int2,     // big endian, as the other two
  int4,
  int8,
  uuid,  // 16 bytes
};

/// The form of a type by its oid; empty for the others, which go as text.
std::optional<BinaryForm> binary_form(std::uint32_t type);

void append_binary_header(std::string& out);
/// Appends one row, of as many cells as forms: NULL, or the text that the server would print
/// (bytes: a blob as its bytes). False: a cell is not of its form, and nothing was appended.
[[nodiscard]] bool append_binary_row(std::span<const Cell> row, std::span<const BinaryForm> forms,
                                     std::string& out);
void append_binary_trailer(std::string& out);

}  // namespace abgleich::db::postgresql
