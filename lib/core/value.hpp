// One cell's value in canonical form: a kind and canonical bytes, the same for every engine.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace abgleich {

namespace mask {
class Reader;
}

/// What a value is. Two values are the same value exactly when kind and bytes are the same.
enum class Kind : std::uint8_t {
  null,         // no bytes
  boolean,      // "t" or "f"
  integer,      // decimal digits, "-" in front where negative, no leading zeros
  decimal,      // as written, with its scale: "1.00"; "NaN", "Infinity", "-Infinity"
  real,         // shortest decimal that reads back to the same double; "NaN", "Infinity", "-0"
  text,         // valid UTF-8, as it is
  bytes,        // the bytes themselves
  date,         // ISO 8601 as PostgreSQL prints it: "2020-02-29", "0044-03-15 BC", "infinity"
  time,         // "23:59:59.5", with a zone for time with time zone: "23:59:59.5+02"
  timestamp,    // naive: "2020-02-29 23:59:59.5"
  timestamptz,  // in UTC: "2020-02-29 23:59:59.5+00"
  uuid,         // lower case with hyphens
  json,         // its text
  other,        // the server's text under pinned settings: arrays, intervals, inet, ranges ...
};

/// A value that may be seen: masked, or read from the secondary. It has no formatter on purpose;
/// it is printed by `report`, which knows the class of its column.
class Value {
 public:
  Value() = default;
  Value(Kind kind, std::string bytes) : kind_(kind), bytes_(std::move(bytes)) {}

  [[nodiscard]] Kind kind() const { return kind_; }
  [[nodiscard]] const std::string& bytes() const { return bytes_; }
  [[nodiscard]] bool is_null() const { return kind_ == Kind::null; }

  /// Overwrites in place and keeps the capacity: rows are reused while streaming.
  void set(Kind kind, std::string_view bytes) {
    kind_ = kind;
    bytes_.assign(bytes);
  }
  void set_null() {
    kind_ = Kind::null;
    bytes_.clear();
  }

  bool operator==(const Value&) const = default;

 private:
  Kind kind_ = Kind::null;
  std::string bytes_;
};

/// A value as the primary holds it. Nothing but `mask` can look inside.
class RawValue {
 public:
  RawValue() = default;
  RawValue(Kind kind, std::string bytes) : value_(kind, std::move(bytes)) {}

  void set(Kind kind, std::string_view bytes) { value_.set(kind, bytes); }
  void set_null() { value_.set_null(); }

 private:
  friend class mask::Reader;
  Value value_;
};

/// One row of the primary: the selected columns, in the order in which they were asked for.
struct RawRow {
  std::vector<RawValue> cells;
};

/// One row in the secondary's terms: the exported columns, in the contract's order.
struct Row {
  std::vector<Value> cells;

  bool operator==(const Row&) const = default;
};

/// Lossless text form of a value for the journal ("integer:42", "text:…", bytes as hex), and its
/// inverse. `null` has the form "null:". Throws Failure{integrity} on text it did not make.
std::string to_text(const Value& value);
Value value_from_text(std::string_view text);

/// Whether the bytes are well-formed UTF-8 (Unicode 15, table 3-7): no surrogates, no overlongs.
bool is_utf8(std::string_view bytes);

}  // namespace abgleich
