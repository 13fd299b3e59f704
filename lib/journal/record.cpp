#include "journal/record.hpp"

#include "core/error.hpp"
#include "core/shallow_json.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <charconv>
#include <ostream>
#include <streambuf>

namespace abgleich::journal {

namespace {

using Json = nlohmann::ordered_json;

Json json_of(const std::optional<Value>& value) {
  return value ? Json(to_text(*value)) : Json(nullptr);
}

std::optional<Value> value_of(const Json& json) {
  if (json.is_null()) {
    return std::nullopt;
  }
  return value_from_text(json.get_ref<const std::string&>());
}

std::string hex(std::uint64_t bits) {
  return fmt::format("{:016x}", bits);
}

[[noreturn]] void damaged() {
  throw Failure(Code::integrity,
                "the journal in the secondary is damaged: a record is not readable",
                "restore the secondary from its backup, then run: abgleich adopt --reason TEXT. "
                "Nothing was changed");
}

Json parse(std::string_view text) {
  auto json = parse_shallow<Json>(text);
  if (!json.is_object()) {
    damaged();
  }
  return json;
}

std::uint64_t bits_of(const std::string& text) {
  std::uint64_t bits = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), bits, 16);
  if (error != std::errc{} || end != text.data() + text.size()) {
    damaged();
  }
  return bits;
}

constexpr std::size_t kLargeText = std::size_t{1} << 20U;

/// Appends what is streamed to a text.
class Appended : public std::streambuf {
 public:
  explicit Appended(std::string& text) : text_(text) {}

 protected:
  int_type overflow(int_type c) override {
    text_ += traits_type::to_char_type(c);
    return c;
  }
  std::streamsize xsputn(const char* bytes, std::streamsize count) override {
    text_.append(bytes, static_cast<std::size_t>(count));
    return count;
  }

 private:
  std::string& text_;
};

/// The same text as `dump`, with less memory: `dump` doubles its buffer when that is full, and has
/// both buffers meanwhile.
std::string large_text(const Json& json, std::size_t size) {
  std::string text;
  text.reserve(size + size / 64 + kLargeText / 64);  // room for names and a few escapes
  Appended appended(text);
  std::ostream stream(&appended);
  stream << json;
  return text;
}

}  // namespace

std::string key_text(const db::Relation& relation, const Row& row) {
  Json json = Json::object();
  for (const auto i : relation.key) {
    json[relation.columns[i].name] = to_text(row.cells[i]);
  }
  return json.dump();
}

std::string in_ascii(std::string_view key_text) {
  constexpr bool kOnlyAscii = true;
  return parse(key_text).dump(-1, ' ', kOnlyAscii);
}

std::string cells_text(const db::Relation& relation, const Row& row, std::string_view mask) {
  Json json = Json::object();
  std::size_t size = 0;
  for (std::size_t i = 0; i < mask.size(); ++i) {
    if (mask[i] != '0') {
      size += row.cells[i].bytes().size();
      json[relation.columns[i].name] = to_text(row.cells[i]);
    }
  }
  return size < kLargeText ? json.dump() : large_text(json, size);
}

bool forget_cells(std::string& image, const std::vector<std::string>& names) {
  auto json = parse(image);
  bool had = false;
  for (const auto& name : names) {
    had = json.erase(name) > 0 || had;
  }
  if (had) {
    image = json.dump();
  }
  return had;
}

NamedValues read_cells(std::string_view text) {
  NamedValues cells;
  const auto json = parse(text);
  for (const auto& [name, value] : json.items()) {
    if (!value.is_string()) {
      damaged();
    }
    cells.emplace_back(name, value_from_text(value.get_ref<const std::string&>()));
  }
  return cells;
}

db::ConflictRow to_row(const Conflict& conflict, const SipKey& id_key) {
  Json detail = Json::object();
  if (conflict.action) {
    detail["action"] = name_of(*conflict.action);
  }
  if (!conflict.reason.empty()) {
    detail["reason"] = conflict.reason;
  }
  auto& columns = detail["columns"] = Json::object();
  for (const auto& cell : conflict.cells) {
    columns[cell.column] = {{"primary", json_of(cell.primary)},
                            {"secondary", json_of(cell.secondary)},
                            {"digest", hex(cell.digest.bits)}};
  }
  for (const auto& [column, digest] : conflict.unwritten) {
    detail["unwritten"][column] = hex(digest.bits);
  }
  if (const auto& obstacle = conflict.obstacle; !obstacle.kind.empty()) {
    auto& json = detail["obstacle"] = {{"kind", obstacle.kind}};
    if (!obstacle.constraint.empty()) {
      json["constraint"] = obstacle.constraint;
    }
    if (!obstacle.table.empty()) {
      json["table"] = obstacle.table;
      for (const auto& [name, value] : obstacle.key) {
        json["key"][name] = to_text(value);
      }
    }
  }
  db::ConflictRow row{.tracked = conflict.tracked,
                      .key_text = conflict.key_text,
                      .kind = conflict.kind,
                      .detail = detail.dump()};
  const auto content =
      fmt::format("{}\n{}\n{}\n{}", row.tracked, row.key_text, row.kind, row.detail);
  const auto half = [&](std::string_view of) {
    return hex(siphash(id_key, {reinterpret_cast<const std::uint8_t*>(of.data()), of.size()}))
        .substr(0, kConflictIdHalf);
  };
  row.id = half(content) + half(fmt::format("{}\n{}", row.tracked, row.key_text));
  return row;
}

Conflict from_row(const db::ConflictRow& row) {
  Conflict conflict{.id = row.id,
                    .tracked = row.tracked,
                    .key_text = row.key_text,
                    .kind = row.kind,
                    .epoch = row.epoch};
  const auto detail = parse(row.detail);
  try {
    if (const auto action = detail.find("action"); action != detail.end()) {
      conflict.action = conflict_action_from(action->get_ref<const std::string&>());
      if (!conflict.action) {
        damaged();
      }
    }
    conflict.reason = detail.value("reason", "");
    for (const auto& [name, cell] : detail.at("columns").items()) {
      conflict.cells.push_back({.column = name,
                                .primary = value_of(cell.at("primary")),
                                .secondary = value_of(cell.at("secondary")),
                                .digest = {bits_of(cell.at("digest").get<std::string>())}});
    }
    if (const auto unwritten = detail.find("unwritten"); unwritten != detail.end()) {
      for (const auto& [name, digest] : unwritten->items()) {
        conflict.unwritten.emplace_back(name, Digest{bits_of(digest.get<std::string>())});
      }
    }
    if (const auto obstacle = detail.find("obstacle"); obstacle != detail.end()) {
      conflict.obstacle = {.kind = obstacle->at("kind"),
                           .constraint = obstacle->value("constraint", ""),
                           .table = obstacle->value("table", ""),
                           .key = {}};
      if (obstacle->contains("key")) {
        for (const auto& [name, value] : obstacle->at("key").items()) {
          conflict.obstacle.key.emplace_back(name,
                                             value_from_text(value.get_ref<const std::string&>()));
        }
      }
    }
  } catch (const nlohmann::json::exception&) {
    damaged();
  }
  return conflict;
}

}  // namespace abgleich::journal
