#include "db/dialect.hpp"

#include "db/postgresql/fit.hpp"
#include "db/postgresql/hex.hpp"
#include "db/postgresql/postgresql.hpp"
#include "db/real.hpp"

#include <fmt/format.h>

namespace abgleich::db::postgresql {

namespace {

/// Types of our own engine that another database may not have, or may print otherwise: qualified
/// names (enumerations, extensions, composites) and names of the database's own objects.
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

class PostgresDialect final : public Dialect {
 public:
  [[nodiscard]] Engine engine() const override { return Engine::postgresql; }

  [[nodiscard]] std::string table(std::string_view schema, std::string_view name) const override {
    return fmt::format("{}.{}", quote(schema), quote(name));
  }

  [[nodiscard]] std::string own_table(std::string_view name) const override {
    return fmt::format("abgleich.{}", quote(name));
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

  [[nodiscard]] std::string select_expression(std::string_view column,
                                              const Type& /*type*/) const override {
    return std::string(column);  // under the pinned settings every type's own text is exact
  }

  [[nodiscard]] Decoded decode(const Type& type, const Cell& cell,
                               std::string& scratch) const override {
    if (cell.storage == Cell::Storage::null) {
      return {};
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
        return text_cell(value.bytes());  // canonical text is what the server prints and takes
    }
  }

  [[nodiscard]] std::optional<std::string_view> fit(const Type& column,
                                                    Value& value) const override {
    return postgresql::fit(column, value);
  }
};

}  // namespace

const Dialect& dialect() {
  static const PostgresDialect kDialect;
  return kDialect;
}

}  // namespace abgleich::db::postgresql
