#include "report/annotation.hpp"

#include "core/digest.hpp"
#include "core/visible_text.hpp"
#include "report/markup_text.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <string_view>

namespace abgleich::report {

namespace {

using drift::Event;
using drift::Verdict;
using Json = nlohmann::ordered_json;

std::size_t line_of(const Event& event, const contract::Contract& contract) {
  const auto* table = contract.find_table(event.table);
  if (table == nullptr) {
    return 1;
  }
  const auto* column = table->find_column(event.column);
  const auto line = column == nullptr ? table->place.line : column->place.line;
  return std::max<std::size_t>(static_cast<std::size_t>(line), 1);
}

std::string subject(const Event& event) {
  return visible(event.column.empty() ? event.table
                                      : fmt::format("{}.{}", event.table, event.column));
}

std::string message(const Event& event) {
  auto text = fmt::format("{} {} {}", name_of(event.verdict), name_of(event.kind), subject(event));
  if (!event.was.empty() || !event.now.empty()) {
    text += fmt::format(": {} -> {}", event.was.empty() ? "(nothing)" : visible(event.was),
                        event.now.empty() ? "(nothing)" : visible(event.now));
  }
  return text;
}

// GitHub -----------------------------------------------------------------------------------------

// Characters that would end a value in a workflow command are percent-encoded (actions/toolkit,
// command.ts).
std::string github_text(std::string_view text, std::string_view also = {}) {
  std::string out;
  for (const char c : text) {
    if (c == '%' || c == '\r' || c == '\n' || also.find(c) != std::string_view::npos) {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    } else {
      out += c;
    }
  }
  return out;
}

std::string github(const std::vector<Event>& events, const contract::Contract& contract,
                   const std::string& file) {
  constexpr std::string_view kInProperty = ":,";
  std::string out;
  for (const auto& event : events) {
    const std::string_view command = event.verdict == Verdict::block   ? "error"
                                     : event.verdict == Verdict::adapt ? "warning"
                                                                       : "notice";
    out +=
        fmt::format("::{} file={},line={},title={}::{}\n", command, github_text(file, kInProperty),
                    line_of(event, contract), github_text("drift: " + subject(event), kInProperty),
                    github_text(fmt::format("{}\nhint: {}", message(event), visible(event.hint))));
  }
  return out;
}

// GitLab -----------------------------------------------------------------------------------------

/// The same for the same drift in every run: by it, GitLab tells new findings from old ones.
std::string fingerprint(const Event& event) {
  const auto text = fmt::format("{}\n{}\n{}\n{}\n{}", name_of(event.kind), event.table,
                                event.column, event.was, event.now);
  return fmt::format(
      "{:016x}",
      siphash(SipKey{}, {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}));
}

std::string gitlab(const std::vector<Event>& events, const contract::Contract& contract,
                   const std::string& file) {
  auto report = Json::array();
  for (const auto& event : events) {
    report.push_back(
        {{"description", fmt::format("{}; {}", message(event), visible(event.hint))},
         {"check_name", name_of(event.kind)},
         {"fingerprint", fingerprint(event)},
         {"severity", event.verdict == Verdict::block   ? "critical"
                      : event.verdict == Verdict::adapt ? "minor"
                                                        : "info"},
         {"location", {{"path", file}, {"lines", {{"begin", line_of(event, contract)}}}}}});
  }
  return report.dump(2) + "\n";
}

// JUnit ------------------------------------------------------------------------------------------

std::string junit(const std::vector<Event>& events) {
  const auto failures = std::ranges::count_if(
      events, [](const Event& event) { return event.verdict == Verdict::block; });
  const auto cases = std::max<std::size_t>(events.size(), 1);
  auto out = fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
      "<testsuites name=\"abgleich drift\" tests=\"{0}\" failures=\"{1}\">\n"
      "  <testsuite name=\"drift\" tests=\"{0}\" failures=\"{1}\">\n",
      cases, failures);
  if (events.empty()) {
    out += "    <testcase classname=\"drift\" name=\"the schema is as accepted\"/>\n";
  }
  for (const auto& event : events) {
    const auto said = markup_text(message(event));
    const auto hint = markup_text(event.hint);
    const auto body = event.verdict == Verdict::block
                          ? fmt::format("<failure type=\"{}\" message=\"{}\">{}</failure>",
                                        markup_text(name_of(event.kind)), said, hint)
                          : fmt::format("<system-out>{}; {}</system-out>", said, hint);
    out += fmt::format("    <testcase classname=\"{}\" name=\"{}\">{}</testcase>\n",
                       markup_text(event.table),
                       markup_text(std::string(name_of(event.kind)) + " " + subject(event)), body);
  }
  return out + "  </testsuite>\n</testsuites>\n";
}

}  // namespace

std::string annotations(Annotation form, const std::vector<Event>& events,
                        const contract::Contract& contract, const std::string& contract_file) {
  switch (form) {
    case Annotation::github:
      return github(events, contract, contract_file);
    case Annotation::gitlab:
      return gitlab(events, contract, contract_file);
    case Annotation::junit:
      break;
  }
  return junit(events);
}

}  // namespace abgleich::report
