// Whether a text is in the canonical form that core/value.hpp defines for a kind, and how SQLite
// reads a text as a number. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace abgleich::db::sqlite {

/// "-12", "0"; no leading zeros, of any size.
bool is_integer(std::string_view text);

/// The number that decimal digits stand for, empty where it is none or needs more than 64 bits.
std::optional<std::int64_t> integer_from(std::string_view text);

/// "-12.50", "0", "NaN", "Infinity", "-Infinity"; no leading zeros, no sign on zero.
bool is_decimal(std::string_view text);

/// "2020-02-29", "0044-03-15 BC", "infinity"; only days that exist.
bool is_date(std::string_view text);

/// "23:59:59.5", also with a zone, "23:59:59.5+02"; no trailing zeros in the fraction.
bool is_time(std::string_view text);

/// "2020-02-29 23:59:59.5", also with " BC" at the end, "infinity".
bool is_timestamp(std::string_view text);

/// The same with "+00" after the time.
bool is_timestamptz(std::string_view text);

/// "01234567-89ab-cdef-0123-456789abcdef".
bool is_uuid(std::string_view text);

/// Whether a column of numeric, integer or real affinity would turn this text into a number:
/// a decimal literal, possibly with a sign, an exponent, and spaces around it
/// (https://sqlite.org/datatype3.html, section 3; hexadecimal is not converted).
bool reads_as_number(std::string_view text);

}  // namespace abgleich::db::sqlite
