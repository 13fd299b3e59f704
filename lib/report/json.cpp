#include "report/json.hpp"

#include "core/hex.hpp"
#include "report/run_counts.hpp"

#include <nlohmann/json.hpp>

#include <array>
#include <charconv>

namespace abgleich::report {

namespace {

using Json = nlohmann::ordered_json;

/// No text should hold bytes that are not UTF-8. If one does, they are replaced, so that the
/// program does not fail while it reports.
std::string dump(const Json& json) {
  return json.dump(-1, ' ', false, nlohmann::detail::error_handler_t::replace);
}

/// Bytes as PostgreSQL writes them.
std::string bytes_text(std::string_view bytes) {
  return "\\x" + hex({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
}

Json json_of(const Value& value) {
  switch (value.kind()) {
    case Kind::null:
      return nullptr;
    case Kind::boolean:
      return value.bytes() == "t";
    case Kind::integer: {
      std::int64_t number = 0;
      const auto& digits = value.bytes();
      const auto [end, error] =
          std::from_chars(digits.data(), digits.data() + digits.size(), number);
      if (error == std::errc{} && end == digits.data() + digits.size()) {
        return number;
      }
      return digits;
    }
    case Kind::real: {
      double number = 0;
      const auto& digits = value.bytes();
      const auto [end, error] =
          std::from_chars(digits.data(), digits.data() + digits.size(), number);
      // JSON has no NaN and no infinity.
      if (error == std::errc{} && end == digits.data() + digits.size() && number - number == 0) {
        return number;
      }
      return digits;
    }
    case Kind::bytes:
      return bytes_text(value.bytes());
    default:
      // text that is not UTF-8 (SQLite allows any bytes) is shown as bytes
      return is_utf8(value.bytes()) ? value.bytes() : bytes_text(value.bytes());
  }
}

Json json_of(const drift::Event& event) {
  return {{"kind", name_of(event.kind)},
          {"table", event.table},
          {"column", event.column.empty() ? Json(nullptr) : Json(event.column)},
          {"was", event.was.empty() ? Json(nullptr) : Json(event.was)},
          {"now", event.now.empty() ? Json(nullptr) : Json(event.now)},
          {"verdict", drift::name_of(event.verdict)},
          {"hint", event.hint}};
}

Json json_of(const Error& error) {
  return {{"code", static_cast<int>(error.code)}, {"message", error.message}, {"hint", error.hint}};
}

}  // namespace

namespace {

Json json_of(const Change& change) {
  Json json = Json::object();
  if (!change.id.empty()) {
    json["id"] = change.id;
  }
  if (!change.kind.empty()) {
    json["kind"] = change.kind;
  }
  json["table"] = change.table;
  auto& key = json["key"] = Json::object();
  for (const auto& [name, value] : change.key) {
    key[name] = json_of(value);
  }
  json["fate"] = name_of(change.fate);
  auto& columns = json["columns"] = Json::object();
  for (const auto& cell : change.cells) {
    auto& sides = columns[cell.column] = Json::object();
    sides["primary"] = cell.primary ? json_of(*cell.primary) : Json(nullptr);
    sides["secondary"] = cell.secondary ? json_of(*cell.secondary) : Json(nullptr);
  }
  if (!change.reason.empty()) {
    json["reason"] = change.reason;
  }
  if (!change.obstacle.empty()) {
    json["constraint"] = {
        {"kind", change.obstacle},
        {"name", change.constraint.empty() ? Json(nullptr) : Json(change.constraint)}};
    json["blocked_by"] = nullptr;
    if (!change.blocking_table.empty()) {
      json["blocked_by"] = {{"table", change.blocking_table}, {"key", Json::object()}};
      for (const auto& [name, value] : change.blocking_key) {
        json["blocked_by"]["key"][name] = json_of(value);
      }
    }
    json["settled_by"] = settled_by(change);
  }
  if (!change.since.empty()) {
    json["since"] = change.since;
    json["age_seconds"] = change.age;
  }
  return json;
}

}  // namespace

std::string json_line(const Change& change) {
  return dump(json_of(change));
}

std::string history_line(const Change& change) {
  auto json = json_of(change);
  for (auto& cell : json["columns"]) {
    cell["before"] = cell["secondary"];
    cell["after"] = cell["primary"];
  }
  return dump(json);
}

Outcome failed_outcome(const Error& error, Run kind) {
  const auto code = static_cast<int>(error.code);
  const bool refused = (code >= 12 && code < 30) || error.code == Code::configuration;
  return {.result = refused ? Result::refused : Result::failed,
          .code = error.code,
          .kind = kind,
          .error = error};
}

std::string json_line(const Outcome& outcome, std::string_view schema) {
  Json json = {{"schema", schema},
               {"run", outcome.run ? Json(*outcome.run) : Json(nullptr)},
               {"outcome", name_of(outcome.result)},
               {"exit", static_cast<int>(outcome.code)},
               {"dry_run", outcome.kind == Run::dry}};
  auto& tables = json["tables"] = Json::object();
  for (const auto& counts : outcome.tables) {
    tables[counts.table] = {{"inserted", counts.inserted},    {"updated", counts.updated},
                            {"deleted", counts.deleted},      {"unchanged", counts.unchanged},
                            {"conflicts", counts.conflicts},  {"quarantined", counts.quarantined},
                            {"overridden", counts.overridden}};
  }
  json["open"] = {{"conflicts", outcome.open_conflicts}, {"quarantined", outcome.open_quarantined}};
  auto& events = json["drift"] = Json::array();
  for (const auto& event : outcome.drift) {
    events.push_back(json_of(event));
  }
  if (!outcome.ddl.empty()) {
    json["ddl"] = outcome.ddl;
  }
  json["error"] = outcome.error ? json_of(*outcome.error) : Json(nullptr);
  return dump(json);
}

std::string json_line(const drift::Event& event) {
  return dump(json_of(event));
}

std::string json_line(const db::RunRow& run) {
  return dump({{"run", run.id},
               {"epoch", run.epoch},
               {"kind", run.kind},
               {"started", run.started},
               {"finished", run.finished},
               {"operator", run.operator_},
               {"reason", run.reason ? Json(*run.reason) : Json(nullptr)},
               {"tables", counts_of(run)},
               {"previous", run.previous},
               {"hash", run.hash}});
}

std::string json_line(const Difference& difference) {
  Json json = {{"table", difference.table}};
  auto& key = json["key"] = Json::object();
  for (const auto& [name, value] : difference.key) {
    key[name] = json_of(value);
  }
  json["class"] = merge::name_of(difference.standing);
  auto& columns = json["columns"] = Json::object();
  for (const auto& cell : difference.cells) {
    auto& sides = columns[cell.column] = Json::object();
    sides["primary"] = cell.primary ? json_of(*cell.primary) : Json(nullptr);
    sides["secondary"] = cell.secondary ? json_of(*cell.secondary) : Json(nullptr);
    sides["class"] = merge::name_of(cell.standing);
  }
  if (!difference.reason.empty()) {
    json["reason"] = difference.reason;
  }
  return dump(json);
}

std::string json_line(const Verification& verification, Code exit) {
  Json json = {{"schema", "abgleich.verify/1"}, {"exit", static_cast<int>(exit)}};
  auto& tables = json["tables"] = Json::object();
  for (const auto& table : verification.tables) {
    auto& counts = tables[table.table] = Json::object();
    for (std::size_t i = 0; i < merge::kStandings; ++i) {
      counts[std::string(merge::name_of(static_cast<merge::Standing>(i)))] = table.rows.at(i);
    }
  }
  auto& damage = json["damage"] = Json::array();
  for (const auto& one : verification.damage) {
    damage.push_back({{"table", one.table.empty() ? Json(nullptr) : Json(one.table)},
                      {"what", one.what},
                      {"hint", one.hint}});
  }
  auto& events = json["drift"] = Json::array();
  for (const auto& event : verification.drift) {
    events.push_back(json_of(event));
  }
  return dump(json);
}

std::string json_line(const Repair& repair) {
  return dump({{"schema", "abgleich.repair/1"},
               {"run", repair.run ? Json(*repair.run) : Json(nullptr)},
               {"rewritten", repair.rewritten},
               {"removed", repair.removed}});
}

std::string json_line(const LaidDown& laid) {
  return dump({{"schema", "abgleich.lay-down/1"},
               {"run", laid.run},
               {"tables", laid.tables},
               {"left", laid.left}});
}

std::string json_line(const Error& error) {
  return dump({{"error", json_of(error)}});
}

std::string warning_line(const std::string& message, const std::string& hint) {
  return dump({{"warning", {{"message", message}, {"hint", hint}}}});
}

}  // namespace abgleich::report
