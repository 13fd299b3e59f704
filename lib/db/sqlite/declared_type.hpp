// What a column's declared type means in SQLite: its affinity, which is SQLite's rule, and its
// family, which is ours.
//
// Families, by the declared type without regard to case; the first that fits:
//   none                     dynamic (also ANY in a STRICT table)
//   …INT…                    integer, 64 bits, as SQLite has no others
//   …CHAR… …CLOB… …TEXT…     text, with n as its length from VARCHAR(n)
//   …BLOB…                   bytes
//   …REAL… …FLOA… …DOUB…     real, 64 bits
//   BOOL…                    boolean
//   TIMESTAMPTZ…, TIMESTAMP… WITH TIME ZONE   timestamptz
//   DATETIME… TIMESTAMP…     timestamp
//   DATE…, TIME…             date, time
//   DECIMAL… NUMERIC…        decimal, with precision and scale from (p,s)
//   UUID…, JSON…             uuid, json
//   anything else            dynamic
// The first five lines follow SQLite's rules of affinity, so that a family never promises more than
// the affinity keeps.
#pragma once

#include "core/type.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace abgleich::db::sqlite {

/// https://sqlite.org/datatype3.html, section 3.1.
enum class Affinity : std::uint8_t { blob, text, numeric, integer, real };

Affinity affinity_of(std::string_view declared);

enum class Strictness : std::uint8_t { ordinary, strict };

/// The type of a column whose declared type the pragmas give as `declared`. Its `native` can be
/// used in DDL as it is: what is not a plain type name is quoted.
Type type_of(std::string_view declared, Strictness strictness);

}  // namespace abgleich::db::sqlite
