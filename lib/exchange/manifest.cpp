#include "exchange/manifest.hpp"

#include "core/base32.hpp"
#include "core/hex.hpp"
#include "core/shallow_json.hpp"
#include "exchange/manifest_rules.hpp"
#include "exchange/not_applied.hpp"

#include <nlohmann/json.hpp>

#include <array>
#include <charconv>
#include <limits>
#include <set>
#include <utility>

namespace abgleich::exchange {

namespace {

constexpr std::uint64_t kManifestFormat = 1;
constexpr std::array<std::string_view, 3> kRowsWords{"none", "changes", "whole"};

// ---- writing ---------------------------------------------------------------------------------

using WrittenJson = nlohmann::ordered_json;

/// 26 characters: ids, boxes, messages.
std::string name16(const std::array<std::uint8_t, 16>& bytes) {
  std::string text;
  append_base32(bytes, text);
  return text;
}

WrittenJson written_line(const Line& line) {
  return {{"number", std::to_string(line.number)}, {"random", hex(line.random)}};
}

WrittenJson written_mark(const Mark& mark) {
  return {{"line", written_line(mark.line)},
          {"seq", std::to_string(mark.seq)},
          {"id", name16(mark.id)}};
}

void write_message(const Message& message, WrittenJson& json) {
  json["line"] = written_line(message.mark.line);
  if (message.line_is_new) {
    json["line_is_new"] = true;
  }
  json["seq"] = std::to_string(message.mark.seq);
  json["id"] = name16(message.mark.id);
  auto& trail = json["trail"] = WrittenJson::array();
  for (const auto& [seq, id] : message.trail) {
    trail.push_back(WrittenJson::array({std::to_string(seq), name16(id)}));
  }
  if (message.seen) {
    json["seen"] = written_mark(*message.seen);
  }
  if (message.applied) {
    json["applied"] = written_mark(*message.applied);
  }
  if (message.lacks_grants) {
    json["lacks_grants"] = true;
  }
  json["rows"] = kRowsWords.at(static_cast<std::size_t>(message.rows));
  if (message.from > 0) {
    json["since"] = std::to_string(message.from);
  }
}

WrittenJson written_table(const SentTable& table) {
  auto columns = WrittenJson::array();
  for (const auto& column : table.columns) {
    WrittenJson one{{"name", column.name}, {"type", column.type}};
    if (column.in_key) {
      one["key"] = true;
    }
    columns.push_back(std::move(one));
  }
  return {{"name", table.name},
          {"rows", table.rows},
          {"gone", table.gone},
          {"columns", std::move(columns)}};
}

// ---- reading ---------------------------------------------------------------------------------

// sorted, since a sender may write any number of unknown keys
using ReceivedJson = nlohmann::json;

[[noreturn]] void refuse_manifest(NotApplied::Why why = NotApplied::Why::malformed) {
  throw NotApplied(why);
}

/// The JSON of a manifest. No object may have a key twice: another reader could take the other one.
ReceivedJson received_json(std::string_view text) {
  std::vector<std::set<std::string>> open;
  bool twice = false;
  const auto watch = [&](int, ReceivedJson::parse_event_t event, ReceivedJson& parsed) {
    if (event == ReceivedJson::parse_event_t::object_start) {
      open.emplace_back();
    } else if (event == ReceivedJson::parse_event_t::object_end) {
      open.pop_back();
    } else if (event == ReceivedJson::parse_event_t::key) {
      twice |= !open.back().insert(parsed.get_ref<const std::string&>()).second;
    }
    return true;
  };
  // the library would skip a byte order mark
  if (!text.starts_with('{') || nests_deeply(text)) {
    refuse_manifest();
  }
  auto json = ReceivedJson::parse(text, watch, false);
  if (!json.is_object() || twice) {
    refuse_manifest();
  }
  return json;
}

/// An object of which fields are asked for by name and type.
class Received {
 public:
  explicit Received(const ReceivedJson& json) : json_(json) {
    if (!json.is_object()) {
      refuse_manifest();
    }
  }

  /// The field, or nothing where it is missing.
  [[nodiscard]] const ReceivedJson* find(const char* name) const {
    const auto found = json_.find(name);
    return found == json_.end() ? nullptr : &*found;
  }
  [[nodiscard]] const ReceivedJson& at(const char* name) const {
    const auto* const found = find(name);
    if (found == nullptr) {
      refuse_manifest();
    }
    return *found;
  }
  [[nodiscard]] Received object(const char* name) const { return Received(at(name)); }
  [[nodiscard]] const ReceivedJson& list(const char* name) const { return list_in(at(name)); }
  [[nodiscard]] const std::string& text(const char* name) const { return text_in(at(name)); }
  /// Digits only: no sign, no point, no exponent.
  [[nodiscard]] std::uint64_t number(const char* name) const {
    const auto& value = at(name);
    if (!value.is_number_unsigned()) {
      refuse_manifest();
    }
    return value.get<std::uint64_t>();
  }
  [[nodiscard]] bool truth_or_no(const char* name) const {
    const auto* const value = find(name);
    if (value != nullptr && !value->is_boolean()) {
      refuse_manifest();
    }
    return value != nullptr && value->get<bool>();
  }

  static const ReceivedJson& list_in(const ReceivedJson& value) {
    if (!value.is_array()) {
      refuse_manifest();
    }
    return value;
  }
  static const std::string& text_in(const ReceivedJson& value) {
    if (!value.is_string()) {
      refuse_manifest();
    }
    return value.get_ref<const std::string&>();
  }
  /// A number in a text, since not every reader of JSON keeps 64 bits of a number.
  static std::uint64_t large_number(const std::string& text) {
    std::uint64_t number = 0;
    const auto* const end = text.data() + text.size();
    const auto [at, wrong] = std::from_chars(text.data(), end, number);
    if (wrong != std::errc() || at != end || (text.size() > 1 && text.front() == '0')) {
      refuse_manifest();
    }
    return number;
  }
  static std::array<std::uint8_t, 16> read_name16(const std::string& text) {
    std::array<std::uint8_t, 16> bytes{};
    if (!read_base32(text, bytes)) {
      refuse_manifest();
    }
    return bytes;
  }

 private:
  const ReceivedJson& json_;
};

Line received_line(const Received& json) {
  Line line{.number = Received::large_number(json.text("number"))};
  if (!read_hex(json.text("random"), line.random)) {
    refuse_manifest();
  }
  return line;
}

Mark received_mark(const Received& json) {
  return {.line = received_line(json.object("line")),
          .seq = Received::large_number(json.text("seq")),
          .id = Received::read_name16(json.text("id"))};
}

std::optional<Mark> received_mark_or_none(const Received& json, const char* name) {
  const auto* const found = json.find(name);
  return found == nullptr ? std::nullopt : std::optional(received_mark(Received(*found)));
}

std::map<std::uint64_t, MessageId> received_trail(const ReceivedJson& list) {
  std::map<std::uint64_t, MessageId> trail;
  for (const auto& entry : list) {
    constexpr std::size_t kPair = 2;
    if (Received::list_in(entry).size() != kPair) {
      refuse_manifest();
    }
    const auto seq = Received::large_number(Received::text_in(entry[0]));
    if (!trail.empty() && seq <= trail.rbegin()->first) {
      refuse_manifest();  // in ascending order, none twice
    }
    trail.emplace_hint(trail.end(), seq, Received::read_name16(Received::text_in(entry[1])));
  }
  return trail;
}

Message::Rows received_rows(const std::string& word) {
  for (std::size_t i = 0; i < kRowsWords.size(); ++i) {
    if (kRowsWords.at(i) == word) {
      return static_cast<Message::Rows>(i);
    }
  }
  refuse_manifest();
}

Message received_message(const Received& json) {
  Message message{.mark = received_mark(json),
                  .line_is_new = json.truth_or_no("line_is_new"),
                  .trail = received_trail(json.list("trail")),
                  .seen = received_mark_or_none(json, "seen"),
                  .applied = received_mark_or_none(json, "applied"),
                  .lacks_grants = json.truth_or_no("lacks_grants"),
                  .rows = received_rows(json.text("rows"))};
  if (json.find("since") != nullptr) {
    message.from = Received::large_number(json.text("since"));
  }
  return message;
}

Grant received_grant(const Received& json) {
  const auto key = seal::recipient_from(json.text("key"));
  if (!key) {
    refuse_manifest();
  }
  return {.box = Received::read_name16(json.text("box")), .key = *key};
}

SentTable received_table(const Received& json) {
  SentTable table{
      .name = json.text("name"), .rows = json.number("rows"), .gone = json.number("gone")};
  for (const auto& entry : json.list("columns")) {
    const Received column(entry);
    table.columns.push_back({.name = column.text("name"),
                             .type = column.text("type"),
                             .in_key = column.truth_or_no("key")});
  }
  return table;
}

void check_format(const Received& json) {
  const auto format = json.number("format");
  if (format > kManifestFormat) {
    refuse_manifest(NotApplied::Why::another_format);
  }
  if (format != kManifestFormat) {
    refuse_manifest();
  }
}

}  // namespace

std::string manifest_text(const Manifest& manifest) {
  WrittenJson json{{"format", kManifestFormat},
                   {"from", name16(manifest.from)},
                   {"serial", manifest.serial},
                   {"to", name16(manifest.to)}};
  if (manifest.box) {
    json["box"] = name16(*manifest.box);
  }
  write_message(manifest.message, json);
  auto& grants = json["grants"] = WrittenJson::array();
  for (const auto& grant : manifest.grants) {
    grants.push_back({{"box", name16(grant.box)}, {"key", seal::recipient_text(grant.key)}});
  }
  auto& tables = json["tables"] = WrittenJson::array();
  for (const auto& table : manifest.tables) {
    tables.push_back(written_table(table));
  }
  json["sent"] = manifest.sent;
  return json.dump();
}

Manifest parse_manifest(std::string_view text) {
  if (text.size() > kMostManifest) {
    refuse_manifest(NotApplied::Why::too_large);
  }
  const auto whole = received_json(text);
  const Received json(whole);
  check_format(json);
  Manifest manifest{.from = Received::read_name16(json.text("from")),
                    .to = Received::read_name16(json.text("to")),
                    .message = received_message(json)};
  if (json.find("box") != nullptr) {
    manifest.box = Received::read_name16(json.text("box"));
  }
  for (const auto& grant : json.list("grants")) {
    manifest.grants.push_back(received_grant(Received(grant)));
    manifest.message.grants.push_back(manifest.grants.back().box);
  }
  for (const auto& table : json.list("tables")) {
    manifest.tables.push_back(received_table(Received(table)));
  }
  const auto serial = json.number("serial");
  const auto sent = json.number("sent");
  if (serial > std::numeric_limits<std::uint32_t>::max() ||
      sent > static_cast<std::uint64_t>(kLastMoment)) {
    refuse_manifest();
  }
  manifest.serial = static_cast<std::uint32_t>(serial);
  manifest.sent = static_cast<std::int64_t>(sent);
  if (!flaw_of(manifest.tables).empty() || !is_sound(manifest)) {
    refuse_manifest();
  }
  return manifest;
}

}  // namespace abgleich::exchange
