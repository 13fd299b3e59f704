#include "db/engine/dialect.hpp"

#include "db/engine/real.hpp"
#include "db/engine/relation.hpp"
#include "db/postgresql/copy_text.hpp"
#include "db/postgresql/encoding.hpp"
#include "db/postgresql/fit.hpp"
#include "db/postgresql/hex.hpp"
#include "db/postgresql/postgresql.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <map>

namespace abgleich::db::postgresql {

namespace {

/// Whether another PostgreSQL database has the type, too, and prints its values alike. Not so for
/// qualified names (enumerations, extensions, composites) and names of a database's own objects.
bool travels(std::string_view native) {
  return !native.empty() && native.find('.') == std::string_view::npos &&
         !native.starts_with("reg");
}

std::string nearest(Family family) {
  switch (family) {
    case Family::boolean:
      return "boolean";
    case Family::integer:
      return "bigint";
    case Family::decimal:
      return "numeric";
    case Family::real:
      return "double precision";
    case Family::bytes:
      return "bytea";
    case Family::date:
      return "date";
    case Family::time:
      return "time without time zone";
    case Family::timestamp:
      return "timestamp without time zone";
    case Family::timestamptz:
      return "timestamp with time zone";
    case Family::uuid:
      return "uuid";
    case Family::json:
      return "json";  // not jsonb, which prints what it got in another form
    case Family::text:
    case Family::other:
    case Family::dynamic:
      break;
  }
  return "text";
}

Kind kind_of(Family family) {
  switch (family) {
    case Family::boolean:
      return Kind::boolean;
    case Family::integer:
      return Kind::integer;
    case Family::decimal:
      return Kind::decimal;
    case Family::real:
      return Kind::real;
    case Family::bytes:
      return Kind::bytes;
    case Family::date:
      return Kind::date;
    case Family::time:
      return Kind::time;
    case Family::timestamp:
      return Kind::timestamp;
    case Family::timestamptz:
      return Kind::timestamptz;
    case Family::uuid:
      return Kind::uuid;
    case Family::json:
      return Kind::json;
    case Family::other:
      return Kind::other;
    case Family::text:
    case Family::dynamic:
      break;
  }
  return Kind::text;
}

/// Whether a value may contain text of users. (Labels of enumerations are in the catalogue.)
bool holds_text(const Type& type) {
  return type.labels.empty() && (type.family == Family::text || type.family == Family::json ||
                                 type.family == Family::other);
}

/// Whether equal values always have the same text; for example not of numeric.
bool is_of_one_text(std::string_view native) {
  constexpr std::array<std::string_view, 5> exact{"text", "uuid", "smallint", "integer", "bigint"};
  return std::ranges::find(exact, native) != exact.end() || native.starts_with("character varying");
}

constexpr RowLines kRowLines{.append = append_copy_line, .split = split_copy_line};

class PostgresDialect final : public Dialect {
 public:
  explicit PostgresDialect(const PartialEncoding* encoding = nullptr) : encoding_(encoding) {}

  [[nodiscard]] Engine engine() const override { return Engine::postgresql; }

  [[nodiscard]] std::string table(std::string_view schema, std::string_view name) const override {
    return fmt::format("{}.{}", quote(schema), quote(name));
  }

  [[nodiscard]] std::string own_table(std::string_view books,
                                      std::string_view name) const override {
    return fmt::format("{}.{}", books, quote(name));
  }

  [[nodiscard]] std::string own_name(std::string_view books, std::string_view name) const override {
    return fmt::format("{}.{}", books, name);
  }

  [[nodiscard]] std::string temporary_table(std::string_view name) const override {
    return fmt::format("pg_temp.{}", name);
  }

  [[nodiscard]] std::string operation(std::string_view symbol) const override {
    return fmt::format("OPERATOR(pg_catalog.{})", symbol);
  }

  [[nodiscard]] std::string function(std::string_view name) const override {
    return fmt::format("pg_catalog.{}", name);
  }

  [[nodiscard]] std::string column_type(const Type& type) const override {
    if (!type.labels.empty()) {
      return "text";
    }
    if (type.engine == Engine::postgresql && travels(type.native)) {
      return type.native;
    }
    return nearest(type.engine == Engine::postgresql && !type.native.empty() ? Family::text
                                                                             : type.family);
  }

  [[nodiscard]] std::string_view blob_type() const override { return "bytea"; }
  [[nodiscard]] std::string_view key_text_type() const override { return "text COLLATE \"C\""; }

  [[nodiscard]] std::string select_expression(std::string_view column,
                                              const Type& type) const override {
    if (encoding_ != nullptr && holds_text(type)) {
      // concat() gives the type's own text, in which char(n) keeps its spaces; IS NULL would be
      // true of a composite value of NULLs, too
      return fmt::format(
          "CASE WHEN pg_catalog.num_nulls({0}) = 0 THEN "
          "pg_catalog.convert_to(pg_catalog.concat({0}), '{1}') END",
          column, encoding_->name());
    }
    return std::string(column);  // with the pinned settings every type's own text is exact
  }

  [[nodiscard]] Decoded decode(const Type& type, const Cell& cell,
                               std::string& scratch) const override {
    if (cell.storage == Cell::Storage::null) {
      return {};
    }
    if (encoding_ != nullptr && holds_text(type)) {
      std::string bytes;
      encoding_->to_utf8(cell.storage == Cell::Storage::blob || !bytes_from_hex(cell.bytes, bytes)
                             ? cell.bytes
                             : std::string_view(bytes),
                         scratch);
      return {kind_of(type.family), scratch};
    }
    if (cell.storage == Cell::Storage::blob) {
      return {Kind::bytes, cell.bytes};
    }
    if (type.family == Family::real) {
      const auto real = canonical_real(cell.bytes, scratch);
      return real.empty() ? Decoded{Kind::text, cell.bytes} : Decoded{Kind::real, real};
    }
    if (type.family == Family::bytes) {
      return bytes_from_hex(cell.bytes, scratch) ? Decoded{Kind::bytes, scratch}
                                                 : Decoded{Kind::text, cell.bytes};
    }
    return {kind_of(type.family), cell.bytes};
  }

  [[nodiscard]] Cell encode(const Type& /*type*/, const Value& value,
                            std::string& /*scratch*/) const override {
    switch (value.kind()) {
      case Kind::null:
        return {};
      case Kind::bytes:
        return {Cell::Storage::blob, value.bytes()};
      default:
        return text_cell(value.bytes());  // the server prints and reads canonical text
    }
  }

  [[nodiscard]] std::optional<std::string_view> fit(const Type& column,
                                                    Value& value) const override {
    return postgresql::fit(column, value);
  }

  [[nodiscard]] std::string text_literal(std::string_view text, const Type& type) const override {
    // as bytes of UTF-8, which the server converts, whatever encoding it expects statements in
    const bool ascii = std::ranges::all_of(
        text, [](char c) { return (static_cast<unsigned char>(c) & 0x80U) == 0; });
    if (encoding_ == nullptr || ascii) {
      return Dialect::text_literal(text, type);
    }
    auto converted = fmt::format("pg_catalog.convert_from({}, 'UTF8')", blob_literal(text));
    if (!type.labels.empty()) {
      return fmt::format("CAST({} AS {})", converted, type.native);
    }
    return type.padded ? fmt::format("CAST({} AS pg_catalog.bpchar)", converted) : converted;
  }

  /// By bytes: LIKE is not possible with a collation that takes different texts for equal.
  [[nodiscard]] std::string like(std::string_view text, std::string_view pattern) const override {
    return fmt::format("{} COLLATE pg_catalog.\"C\" LIKE {}", text, text_literal(pattern, {}));
  }

  [[nodiscard]] std::string blob_literal(std::string_view bytes) const override {
    std::string digits;
    for (const char c : bytes) {
      digits += fmt::format("{:02x}", static_cast<unsigned char>(c));
    }
    return "CAST('\\x" + digits + "' AS bytea)";
  }

  [[nodiscard]] std::optional<std::string> unused_value(const RelationColumn& column,
                                                        std::string_view data) const override {
    const auto name = quote(column.name);
    switch (column.stored.family) {
      case Family::integer:
      case Family::decimal:
        return fmt::format("(SELECT pg_catalog.min(o.{}) FROM {} o) OPERATOR(pg_catalog.-) p.n",
                           name, data);
      case Family::text:
      case Family::dynamic:
        return "'~' OPERATOR(pg_catalog.||) CAST(p.n AS pg_catalog.text)";
      case Family::uuid:
        return "CAST(pg_catalog.md5(CAST(p.n AS pg_catalog.text)) AS pg_catalog.uuid)";
      case Family::date:
        return fmt::format(
            "(SELECT pg_catalog.min(o.{}) FROM {} o) OPERATOR(pg_catalog.-) CAST(p.n AS integer)",
            name, data);
      default:
        return std::nullopt;
    }
  }

  [[nodiscard]] std::string_view byte_collation() const override { return "\"C\""; }

  [[nodiscard]] std::string bytewise(std::string_view text) const override {
    return fmt::format("{} COLLATE \"C\"", text);
  }

  [[nodiscard]] std::string_view byte_order(const Type& stored) const override {
    return stored.family == Family::text && stored.labels.empty() ? " COLLATE \"C\"" : "";
  }

  [[nodiscard]] std::string bytes_of(const RelationColumn& column,
                                     std::string_view theirs) const override {
    switch (column.equality.by) {
      case Equality::By::bytes:
        return std::string(theirs);
      case Equality::By::collation:
        return fmt::format("{} COLLATE pg_catalog.\"C\"", theirs);
      case Equality::By::type:
        break;
    }
    // a cast would remove the spaces at the end of bpchar
    return column.stored.native == "bpchar"
               ? fmt::format("pg_catalog.textin(pg_catalog.bpcharout({})) COLLATE pg_catalog.\"C\"",
                             theirs)
               : text_bytes(theirs);
  }

  [[nodiscard]] std::string text_bytes(std::string_view theirs) const override {
    return fmt::format("CAST({} AS pg_catalog.text) COLLATE pg_catalog.\"C\"", theirs);
  }

  /// For identity columns that are GENERATED ALWAYS.
  [[nodiscard]] std::string_view overriding() const override { return "OVERRIDING SYSTEM VALUE "; }
  [[nodiscard]] std::string_view row_lock() const override { return " FOR UPDATE"; }
  [[nodiscard]] std::string_view temporary_end() const override { return " ON COMMIT DROP"; }

  [[nodiscard]] std::string between(std::string_view number, std::int64_t first,
                                    std::int64_t last) const override {
    return fmt::format("{0} OPERATOR(pg_catalog.>=) {1} AND {0} OPERATOR(pg_catalog.<=) {2}",
                       number, first, last);
  }

  [[nodiscard]] std::string among(std::string_view number,
                                  std::span<const std::int64_t> numbers) const override {
    return fmt::format("{} OPERATOR(pg_catalog.=) ANY (CAST('{{{}}}' AS bigint[]))", number,
                       fmt::join(numbers, ","));
  }

  [[nodiscard]] std::string delete_joined(std::string_view data, std::string_view plan,
                                          std::string_view condition) const override {
    return fmt::format("DELETE FROM {} AS t USING {} p WHERE {}", data, plan, condition);
  }

  [[nodiscard]] std::string all_in_one(std::span<const std::string> updates) const override {
    std::string with;
    std::string sum;
    for (std::size_t i = 0; i < updates.size(); ++i) {
      with += fmt::format("{}u{} AS ({} RETURNING 1)", with.empty() ? "" : ", ", i, updates[i]);
      sum += fmt::format("{}(SELECT pg_catalog.count(*) FROM u{})",
                         sum.empty() ? "" : " OPERATOR(pg_catalog.+) ", i);
    }
    return fmt::format("WITH {} SELECT {}", with, sum);
  }

  [[nodiscard]] RowPlace row_place() const override {
    return {.selected = "CAST(ctid AS text)", .compared = "ctid"};
  }

  [[nodiscard]] std::string analyze(std::string_view table,
                                    std::string_view columns) const override {
    return columns.empty() ? fmt::format("ANALYZE {}", table)
                           : fmt::format("ANALYZE {} ({})", table, columns);
  }

  /// For a join by hash, the planner needs the size, and statistics only of the joined columns.
  [[nodiscard]] std::string ready_to_join(std::string_view table, std::string_view /*key*/,
                                          std::string_view known) const override {
    return analyze(table, known);
  }

  [[nodiscard]] bool stores_as_sent() const override { return true; }
  [[nodiscard]] bool has_one_text(const Type& stored) const override {
    return is_of_one_text(stored.native);
  }
  /// COPY hands rows over as lines of text.
  [[nodiscard]] const RowLines* row_lines() const override { return &kRowLines; }

 private:
  const PartialEncoding* encoding_;
};

}  // namespace

const Dialect& dialect() {
  static const PostgresDialect kDialect;
  return kDialect;
}

const Dialect& dialect_to_read(std::string_view server_encoding) {
  static const auto kDialects = [] {
    std::map<std::string_view, PostgresDialect> dialects;
    for (const auto& encoding : PartialEncoding::all()) {
      dialects.try_emplace(encoding.name(), &encoding);
    }
    return dialects;
  }();
  const auto found = kDialects.find(server_encoding);
  return found == kDialects.end() ? dialect() : found->second;
}

}  // namespace abgleich::db::postgresql
