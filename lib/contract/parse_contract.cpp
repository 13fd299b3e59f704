#include "contract/consistency.hpp"
#include "contract/contract.hpp"
#include "contract/document.hpp"
#include "contract/limit.hpp"
#include "contract/parse_column.hpp"
#include "contract/parse_condition.hpp"
#include "contract/tokens.hpp"
#include "contract/toml_text.hpp"

#include <fmt/format.h>

#include <utility>

namespace abgleich::contract {

namespace {

constexpr std::int64_t kFormatVersion = 1;
constexpr std::string_view kCountry = "DE";

void expect_format(const Node& root, const std::string& file) {
  const Place top{.file = file, .line = 1, .column = 1};
  const Member* format = root.find("format");
  if (format == nullptr) {
    refuse(top, "'format' is missing", "write format = 1 at the top");
  }
  if (format->value.kind != Node::Kind::integer) {
    refuse(format->value.place, "'format' must be an integer", "write format = 1");
  }
  if (format->value.integer != kFormatVersion) {
    refuse(format->value.place,
           fmt::format("contract of format {}, which this version does not know",
                       format->value.integer),
           "write format = 1, or install a version of abgleich that knows the other");
  }
}

std::vector<Named> parse_key(const Member& table) {
  constexpr std::string_view kExample = "key = [\"id\"]";
  const Member* key = table.value.find("key");
  if (key == nullptr) {
    refuse(
        table.place, fmt::format("table {} has no key", in_quotes(table.name)),
        fmt::format("write {}: the columns that are unique and not null in the primary", kExample));
  }
  std::vector<Named> columns = texts_of(*key, kExample);
  if (columns.empty()) {
    refuse(
        key->value.place, fmt::format("the key of table {} is empty", in_quotes(table.name)),
        fmt::format("write {}: the columns that are unique and not null in the primary", kExample));
  }
  return columns;
}

std::vector<std::vector<Named>> parse_together(const Member& together) {
  constexpr std::string_view kExample = "together = [[\"status\", \"status_date\"]]";
  if (together.value.kind != Node::Kind::list) {
    refuse(together.value.place, "'together' must be a list of groups of columns",
           fmt::format("write {}", kExample));
  }
  std::vector<std::vector<Named>> groups;
  for (const Node& group : together.value.items) {
    if (group.kind != Node::Kind::list) {
      refuse(group.place, "'together' must be a list of groups of columns",
             fmt::format("write {}, with two pairs of brackets", kExample));
    }
    groups.push_back(texts_of(group, "a group of 'together'", kExample));
    if (groups.back().size() < 2) {
      refuse(group.place, "a group of 'together' needs two columns or more",
             fmt::format("write {}, or delete the group", kExample));
    }
  }
  return groups;
}

std::vector<std::string> names(const std::vector<Named>& named) {
  std::vector<std::string> out;
  out.reserve(named.size());
  for (const Named& one : named) {
    out.push_back(one.name);
  }
  return out;
}

void parse_columns(const Member& member, Table& table) {
  const std::string example = fmt::format("[tables.{}.columns]", toml_key(member.name));
  const Member* columns = member.value.find("columns");
  if (columns == nullptr) {
    refuse(member.place, fmt::format("table {} has no columns", in_quotes(table.name)),
           fmt::format("write {}, and a line a column below it", example));
  }
  for (const Member& column : table_of(*columns, example).members) {
    table.columns.push_back(parse_column(column, table.name));
  }
}

/// Reads `subject`, `quasi_identifiers` and `sensitive`.
void parse_subject(const Member& member, Table& table) {
  const Member* subject = member.value.find("subject");
  if (subject != nullptr) {
    table.subject = name_of(*subject, "subject = \"person_id\"");
  } else if (table.key.size() == 1 &&
             table.find_column(table.key.front())->cls == Class::pseudonym) {
    table.subject = table.key.front();
  }
  expect_subject(table, subject != nullptr ? subject->value.place : member.place);
  const auto named = [&member](std::string_view key, std::string_view example) {
    const Member* list = member.value.find(key);
    return list == nullptr ? std::vector<Named>{} : texts_of(*list, example);
  };
  const auto quasi = named("quasi_identifiers", "quasi_identifiers = [\"birth_date\", \"sex\"]");
  const auto sensitive = named("sensitive", "sensitive = [\"status\"]");
  expect_quasi_identifiers(table, quasi, sensitive);
  table.quasi_identifiers = names(quasi);
  table.sensitive = names(sensitive);
}

/// Reads `target`, the name in the secondary, and `was`, the former name in the primary.
void parse_other_names(const Member& member, Table& table) {
  const Member* target = member.value.find("target");
  if (target != nullptr) {
    table.target = name_of(*target, "target = \"name in the secondary\"");
  }
  if (reserved(table.target)) {
    refuse(target != nullptr ? target->value.place : member.place,
           fmt::format("table {} would be called {} in the secondary, like the bookkeeping",
                       in_quotes(table.name), in_quotes(table.target)),
           fmt::format("write target = \"…\" with a name that does not begin with '{}'",
                       kReservedPrefix));
  }
  if (const Member* was = member.value.find("was")) {
    table.was = name_of(*was, "was = \"old name in the primary\"");
    if (table.was == table.name) {
      refuse(was->value.place, fmt::format("'was' of table {} is its name", in_quotes(table.name)),
             "write the old name, or delete 'was'");
    }
  }
}

Follows parse_followed(const Node& one) {
  constexpr std::string_view kExample = "follows = [{ table = \"visit\", by = \"visit_id\" }]";
  if (one.kind != Node::Kind::table) {
    refuse(one.place, "'follows' must be a list of tables", fmt::format("write {}", kExample));
  }
  expect_only(one, kFollowsKeys, "'follows'");
  Follows followed{.place = one.place};
  for (const auto& [key, into] :
       {std::pair("table", &followed.table), std::pair("by", &followed.by)}) {
    const Member* member = one.find(key);
    if (member == nullptr) {
      refuse(one.place, fmt::format("'follows' has no {}", in_quotes(key)),
             fmt::format("write {}", kExample));
    }
    *into = name_of(*member, kExample);
  }
  return followed;
}

/// Reads `where`, `route`, `shared` and `follows`: which rows leave.
void parse_choice(const Member& member, Table& table) {
  if (const Member* where = member.value.find("where")) {
    table.where_place = where->value.place;
    table.where = parse_condition(text_of(*where, "where = \"district = '08435'\""), table.name,
                                  table.where_place);
    expect_deciding(table);
  }
  const Member* route = member.value.find("route");
  const Member* follows = member.value.find("follows");
  if (route != nullptr && follows != nullptr) {
    refuse(follows->place, fmt::format("table {} has 'route' and 'follows'", in_quotes(table.name)),
           "delete one: a row goes where its own value says, or where another row goes");
  }
  if (route != nullptr) {
    table.route = name_of(*route, "route = \"district\"");
    table.where_place = route->value.place;
  }
  if (const Member* shared = member.value.find("shared")) {
    table.shared = boolean_of(*shared, "shared = true");
    if (route == nullptr) {
      refuse(
          shared->place, fmt::format("table {} has 'shared' and no 'route'", in_quotes(table.name)),
          "delete 'shared': without 'route' every peer gets the table, and rows with 'follows' go "
          "wherever the row goes that they follow");
    }
  }
  if (follows != nullptr) {
    table.where_place = follows->value.place;
    if (follows->value.kind == Node::Kind::list && follows->value.items.empty()) {
      refuse(follows->value.place, "'follows' is empty", "name a table, or delete 'follows'");
    }
    if (follows->value.kind == Node::Kind::list) {
      for (const Node& one : follows->value.items) {
        table.follows.push_back(parse_followed(one));
      }
    } else {
      table.follows.push_back(parse_followed(follows->value));
    }
  }
  expect_routable(table, table.where_place);
}

Table parse_table(const Member& member) {
  expect_name(member.name, member.place, "a table name");
  table_of(member, fmt::format("[tables.{}]", toml_key(member.name)));
  expect_only(member.value, kTableKeys, fmt::format("table {}", in_quotes(member.name)));
  Table table;
  table.name = member.name;
  table.target = member.name;
  table.place = member.place;
  parse_other_names(member, table);
  if (const Member* on_delete = member.value.find("on_delete")) {
    table.on_delete = static_cast<OnDelete>(word_of(*on_delete, kOnDeletes, "rule for deletes"));
  }
  if (const Member* limit = member.value.find("max_deleted")) {
    table.max_deleted = limit_of(*limit);
  }
  if (const Member* limit = member.value.find("max_updated")) {
    table.max_updated = limit_of(*limit);
  }
  const std::vector<Named> key = parse_key(member);
  parse_columns(member, table);
  expect_width(table, member.place);
  expect_distinct_columns(table);
  expect_key(table, key);
  table.key = names(key);
  parse_subject(member, table);
  expect_usable(table);
  if (const Member* list = member.value.find("fixed")) {
    const auto fixed = texts_of(*list, "fixed = [\"born_on\", \"created_at\"]");
    expect_fixed(table, fixed);
    table.fixed = names(fixed);
  }
  parse_choice(member, table);
  if (const Member* together = member.value.find("together")) {
    const std::vector<std::vector<Named>> groups = parse_together(*together);
    expect_groups(table, groups);
    for (const std::vector<Named>& group : groups) {
      table.together.push_back(names(group));
    }
  }
  return table;
}

}  // namespace

Contract parse_contract(std::string_view text, const std::filesystem::path& file) {
  const Node root = read_toml(text, file.string());
  expect_format(root, file.string());
  expect_only(root, kContractKeys, "the contract");
  Contract contract;
  contract.file = file;
  const Member* country = root.find("country");
  const std::string own = country != nullptr ? country_of(*country) : std::string(kCountry);
  if (const Member* only = root.find("tokens_only")) {
    contract.tokens_only = boolean_of(*only, "tokens_only = true");
  }
  if (const Member* tables = root.find("tables")) {
    for (const Member& table : table_of(*tables, "[tables.person]").members) {
      contract.tables.push_back(parse_table(table));
      for (Column& column : contract.tables.back().columns) {
        if (column.normaliser == Normaliser::phone && column.country.empty()) {
          column.country = own;
        }
      }
    }
  }
  expect_distinct_tables(contract);
  expect_followed(contract);
  expect_only_tokens(contract);
  return contract;
}

Contract read_contract(const std::filesystem::path& file) {
  return parse_contract(read_text(file), file);
}

}  // namespace abgleich::contract
