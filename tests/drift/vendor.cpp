#include "drift/vendor.hpp"

#include <algorithm>
#include <charconv>
#include <stdexcept>

namespace abgleich::drift::tests {

namespace {

template <class Things>
auto find(Things& things, std::string_view name) {
  const auto found =
      std::ranges::find_if(things, [&](const auto& one) { return one.name == name; });
  if (found == things.end()) {
    throw std::logic_error{"no such thing: " + std::string{name}};
  }
  return found;
}

void rename_in(std::vector<std::string>& columns, std::string_view name, const std::string& to) {
  std::ranges::replace(columns, std::string{name}, to);
}

bool contains(const std::vector<std::string>& columns, std::string_view name) {
  return std::ranges::find(columns, name) != columns.end();
}

/// The numbers in the parentheses of a type.
std::vector<int> modifiers(std::string_view native) {
  std::vector<int> numbers;
  for (std::size_t at = native.find('('); at < native.size() && native[at] != ')';
       at = native.find_first_of(",)", at + 1)) {
    int number = 0;
    std::from_chars(native.data() + at + 1, native.data() + native.size(), number);
    numbers.push_back(number);
  }
  return numbers;
}

}  // namespace

Type type_of(std::string_view native) {
  Type type;
  type.native = native;
  type.family = Family::other;
  const std::vector<int> numbers = modifiers(native);
  const std::string_view name = native.substr(0, native.find('('));
  const auto first = numbers.empty() ? std::optional<int>{} : numbers[0];
  if (name == "text" || name == "character varying" || name == "character") {
    type.family = Family::text;
    type.length = first;
    type.padded = name == "character";
  } else if (name == "smallint" || name == "integer" || name == "bigint") {
    type.family = Family::integer;
    type.bits = name == "smallint" ? 16 : name == "integer" ? 32 : 64;
  } else if (name == "real" || name == "double precision") {
    type.family = Family::real;
    type.bits = name == "real" ? 32 : 64;
  } else if (name == "numeric") {
    type.family = Family::decimal;
    type.precision = first;
    type.scale = numbers.size() > 1 ? std::optional{numbers[1]} : std::optional<int>{};
  } else if (name.starts_with("timestamp") || name.starts_with("time")) {
    const bool zone = native.find("with time zone") != std::string_view::npos;
    type.family = !name.starts_with("timestamp") ? Family::time
                  : zone                         ? Family::timestamptz
                                                 : Family::timestamp;
    type.scale = first;
  } else if (name == "json" || name == "jsonb") {
    type.family = Family::json;
  } else if (const auto family = family_from(name)) {
    type.family = *family;
  }
  return type;
}

Vendor::Vendor() {
  catalog_.identity = {Engine::postgresql, "7318223344556677889", "16400", "15.6"};
  catalog_.schema = "public";
}

CatalogTable& Vendor::table(std::string_view name) {
  return *find(catalog_.tables, name);
}

CatalogColumn& Vendor::column(std::string_view table_name, std::string_view name) {
  return *find(table(table_name).columns, name);
}

void Vendor::create_table(const std::string& name, const std::vector<NewColumn>& columns) {
  CatalogTable made;
  made.name = name;
  made.identity = next_table_++;
  next_column_.emplace_back(made.identity, 1);
  catalog_.tables.push_back(made);
  for (const NewColumn& column : columns) {
    add_column(name, column);
  }
  sort();
}

void Vendor::drop_table(std::string_view name) {
  catalog_.tables.erase(find(catalog_.tables, name));
  for (CatalogTable& other : catalog_.tables) {
    std::erase_if(other.foreign_keys, [&](const auto& key) { return key.table == name; });
  }
}

void Vendor::rename_table(std::string_view name, const std::string& to) {
  for (CatalogTable& other : catalog_.tables) {
    for (CatalogForeignKey& key : other.foreign_keys) {
      key.table = key.table == name ? to : key.table;
    }
  }
  table(name).name = to;
  sort();
}

void Vendor::add_column(std::string_view table_name, const NewColumn& column) {
  CatalogTable& to = table(table_name);
  const auto next =
      std::ranges::find(next_column_, to.identity, &std::pair<std::int64_t, std::int64_t>::first);
  CatalogColumn made;
  made.name = column.name;
  made.identity = next->second++;
  made.type = type_of(column.type);
  made.nullable = column.nullable;
  to.columns.push_back(made);
}

void Vendor::drop_column(std::string_view table_name, std::string_view name) {
  CatalogTable& from = table(table_name);
  from.columns.erase(find(from.columns, name));
  if (from.primary_key && contains(from.primary_key->columns, name)) {
    from.primary_key.reset();
  }
  std::erase_if(from.uniques, [&](const auto& key) { return contains(key.columns, name); });
  std::erase_if(from.foreign_keys, [&](const auto& key) { return contains(key.columns, name); });
  for (CatalogTable& other : catalog_.tables) {
    std::erase_if(other.foreign_keys, [&](const auto& key) {
      return key.table == table_name && contains(key.referenced, name);
    });
  }
}

void Vendor::rename_column(std::string_view table_name, std::string_view name,
                           const std::string& to) {
  CatalogTable& in = table(table_name);
  column(table_name, name).name = to;
  if (in.primary_key) {
    rename_in(in.primary_key->columns, name, to);
  }
  for (CatalogKey& key : in.uniques) {
    rename_in(key.columns, name, to);
  }
  for (CatalogForeignKey& key : in.foreign_keys) {
    rename_in(key.columns, name, to);
  }
  for (CatalogTable& other : catalog_.tables) {
    for (CatalogForeignKey& key : other.foreign_keys) {
      if (key.table == table_name) {
        rename_in(key.referenced, name, to);
      }
    }
  }
}

void Vendor::drop_constraint(std::string_view table_name, std::string_view name) {
  CatalogTable& from = table(table_name);
  if (from.primary_key && from.primary_key->name == name) {
    from.primary_key.reset();
  }
  std::erase_if(from.uniques, [&](const auto& key) { return key.name == name; });
  std::erase_if(from.foreign_keys, [&](const auto& key) { return key.name == name; });
}

Catalog Vendor::restored() const {
  Catalog other = catalog_;
  other.identity.database = "99001";
  std::int64_t identity = 70000;
  for (CatalogTable& made : other.tables) {
    made.identity = identity++;
    std::int64_t position = 1;
    for (CatalogColumn& column : made.columns) {
      column.identity = position++;
    }
  }
  return other;
}

void Vendor::sort() {
  std::ranges::sort(catalog_.tables, {}, &CatalogTable::name);
}

}  // namespace abgleich::drift::tests
