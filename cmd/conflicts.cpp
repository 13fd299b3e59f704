// `abgleich conflicts`, `resolve` and `quarantine`: what waits for a person.
#include "command.hpp"
#include "contract/words.hpp"
#include "core/visible_text.hpp"
#include "journal/decisions.hpp"
#include "report/json.hpp"
#include "standard_input.hpp"
#include "sync/history/resolve.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <memory>
#include <sstream>
#include <string_view>
#include <utility>

namespace abgleich::cmd {

namespace {

struct Arguments {
  std::vector<std::string> ids;
  bool all = false;
  std::string table;
  std::string take;
  std::vector<std::string> set;
  std::vector<std::string> set_null;
  std::optional<std::string> from;
  std::string reason;
};

using Values = std::vector<std::pair<std::string, std::optional<std::string>>>;

/// COLUMN=VALUE: the first "=" ends the name.
std::pair<std::string, std::string> value_of(std::string_view text) {
  const auto at = text.find('=');
  if (at == std::string_view::npos || at == 0) {
    throw Failure(Code::usage, "--set wants COLUMN=VALUE",
                  "for example --set status=closed; for NULL: --set-null status");
  }
  return {std::string(text.substr(0, at)), std::string(text.substr(at + 1))};
}

/// "-" stands for lines of COLUMN=VALUE on standard input, COLUMN=- for a value that is there.
Values values_of(const Arguments& arguments) {
  Values values;
  for (const auto& text : arguments.set) {
    if (text == "-") {
      std::istringstream lines(read_standard_input("--set"));
      for (std::string line; std::getline(lines, line);) {
        values.emplace_back(value_of(line));
      }
      continue;
    }
    auto [column, value] = value_of(text);
    if (value == "-") {
      value = read_standard_input(fmt::format("--set {}=", column));
    }
    values.emplace_back(std::move(column), std::move(value));
  }
  for (const auto& name : arguments.set_null) {
    values.emplace_back(name, std::nullopt);
  }
  return values;
}

/// The lines at the end say how to decide; those before them have the row's values.
std::string with_commands(const Context& context, const std::string& text) {
  const auto from = std::min(text.find("    decide: abgleich"), text.size());
  return text.substr(0, from) + context.named(text.substr(from));
}

Code list_conflicts(const Context& context) {
  page(context);
  std::int64_t open = 0;
  sync::each_conflict(context.pairing(), [&](const report::Change& change) {
    ++open;
    print(context.json
              ? report::json_line(change) + "\n"
              : with_commands(context, report::conflict_text(change, context.colour_of(1))));
  });
  if (!context.json && context.loudness() != Loudness::problems) {
    print(open == 0 ? "no open conflicts\n"
                    : fmt::format("{} open {}\n", open, open == 1 ? "conflict" : "conflicts"));
  }
  return Code::done;
}

/// The command that tells whom a row that is held back is about, where its key is a pseudonym; else
/// empty.
std::string reveal_line(const contract::Contract& contract, const report::Change& change) {
  const auto* table = contract.find_table(change.table);
  for (const auto& [name, value] : change.key) {
    const auto columns =
        table == nullptr ? std::vector<const contract::Column*>{} : table->exported();
    const auto found = std::ranges::find(columns, name, &contract::Column::as);
    if (found != columns.end() && (*found)->cls == contract::Class::pseudonym && !value.is_null()) {
      return fmt::format("abgleich reveal {} {} --reason TEXT", contract::in_shell(table->name),
                         contract::in_shell(value.bytes()));
    }
  }
  return {};
}

Code list_quarantine(const Context& context) {
  page(context);
  std::int64_t held = 0;
  std::string reveal;
  const auto pairing = context.pairing();
  sync::each_quarantined(pairing, [&](const report::Change& change) {
    held += change.rows;
    if (reveal.empty()) {
      reveal = reveal_line(pairing.contract, change);
    }
    print(context.json ? report::json_line(change) + "\n"
                       : report::text_of(change, context.colour_of(1)));
  });
  if (!context.json && context.loudness() != Loudness::problems) {
    print(held == 0 ? "no rows are held back\n"
                    : fmt::format("{} held back; correct {} in the primary or in the contract, and "
                                  "the next sync takes {}\n",
                                  held == 1 ? "1 row" : fmt::format("{} rows", held),
                                  held == 1 ? "it" : "them", held == 1 ? "it" : "them"));
    if (!reveal.empty()) {
      print(fmt::format("whose {} is: {}\n", held == 1 ? "it" : "the first of them",
                        visible(reveal)));
    }
  }
  return Code::done;
}

/// What a file holds, or standard input, up to more than a file of decisions may have.
std::string read_decisions(const std::string& name) {
  if (name == "-") {
    return read_standard_input("--from");
  }
  const auto cannot = [&](int error) {
    return Failure(Code::usage,
                   fmt::format("cannot read the decisions in {}: {}", contract::in_quotes(name),
                               std::strerror(error)),
                   "name the file that the page has saved: abgleich resolve --from FILE");
  };
  std::ifstream file(name, std::ios::binary);
  if (!file) {
    throw cannot(errno);
  }
  std::string text(journal::kLongestDecisions + 1, '\0');
  errno = 0;
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.bad() || errno == EISDIR) {
    throw cannot(errno);
  }
  text.resize(static_cast<std::size_t>(file.gcount()));
  return text;
}

sync::Resolution decisions_of(const Arguments& arguments) {
  const bool more = !arguments.ids.empty() || arguments.all || !arguments.table.empty() ||
                    !arguments.take.empty() || !arguments.set.empty() ||
                    !arguments.set_null.empty();
  if (more) {
    throw Failure(Code::usage, "--from FILE says everything but the reason",
                  "abgleich resolve --from FILE --reason TEXT");
  }
  const auto& from = *arguments.from;
  auto decisions = journal::parse_decisions(read_decisions(from), from);
  if (decisions.all.empty()) {
    throw Failure(
        Code::usage,
        fmt::format("{} decides nothing: every conflict is left open", contract::in_quotes(from)),
        "choose a side for a conflict on the page. Nothing was changed");
  }
  return {.ids = {},
          .table = {},
          .set = {},
          .reason = arguments.reason,
          .decisions = std::move(decisions.all),
          .pairing = std::move(decisions.pairing)};
}

/// What was typed, where there is no file of decisions.
sync::Resolution typed(const Arguments& arguments) {
  if (arguments.ids.empty() == !arguments.all) {
    throw Failure(Code::usage, "name the conflicts to resolve, or say --all",
                  "see what is open: abgleich conflicts");
  }
  if (arguments.take.empty() && arguments.set.empty() && arguments.set_null.empty()) {
    throw Failure(Code::usage, "say which side to take, or which values to set",
                  "--take primary, --take secondary, or --set COLUMN=VALUE");
  }
  if (!arguments.table.empty() && !arguments.all) {
    throw Failure(Code::usage, "--table goes with --all", "abgleich resolve --all --table TABLE …");
  }
  return {.ids = arguments.ids,
          .table = arguments.table,
          .take = arguments.take == "primary" ? sync::Take::primary : sync::Take::secondary,
          .take_said = !arguments.take.empty(),
          .set = values_of(arguments),
          .reason = arguments.reason};
}

nlohmann::ordered_json json_of(const sync::Resolved& resolved) {
  auto left_open = nlohmann::ordered_json::array();
  for (const auto& left : resolved.left) {
    left_open.push_back({{"id", left.id}, {"why", left.why}});
    if (left.line > 0) {
      left_open.back()["line"] = left.line;
    }
    if (!left.open) {
      left_open.back()["open"] = false;
    }
  }
  return {{"schema", "abgleich.resolve/1"},
          {"run", resolved.run ? nlohmann::ordered_json(*resolved.run) : nullptr},
          {"resolved", resolved.decided},
          {"left", resolved.left.size()},
          {"left_open", left_open},
          {"open", {{"conflicts", resolved.open}}}};
}

Code decide(Context& context, const Arguments& arguments) {
  const auto resolved =
      sync::resolve(context.pairing(), arguments.from ? decisions_of(arguments) : typed(arguments));
  // what is left may have closed already
  const auto code = resolved.left.empty() || resolved.open == 0 ? Code::done : Code::conflicts_open;
  if (resolved.run) {
    context.applied = {*resolved.run, code};
  }
  if (context.json) {
    print_json(json_of(resolved));
    return code;
  }
  for (const auto& left : resolved.left) {
    complain(fmt::format("{}: {}{}: {}\n", left.open ? "left open" : "not applied",
                         left.line > 0 ? fmt::format("line {}: ", left.line) : std::string(),
                         visible(left.id), visible(left.why)));
    if (left.now) {
      complain(report::text_of(*left.now, context.colour_of(2)));
    }
  }
  if (context.loudness() != Loudness::problems) {
    print(fmt::format("{} resolved, {} open{}\n", resolved.decided, resolved.open,
                      resolved.run ? "; run " + *resolved.run + " applied" : ""));
  }
  return code;
}

}  // namespace

void setup_conflicts(CommandLine app, Context& context) {
  auto command = app.add_subcommand("conflicts", "open conflicts, with both values");
  command.callback([&context] { context.run = [&context] { return list_conflicts(context); }; });
}

void setup_quarantine(CommandLine app, Context& context) {
  auto command = app.add_subcommand("quarantine", "rows that are held back, and why");
  command.callback([&context] { context.run = [&context] { return list_quarantine(context); }; });
}

void setup_resolve(CommandLine app, Context& context) {
  auto command = app.add_subcommand("resolve", "decide open conflicts");
  const auto arguments = std::make_shared<Arguments>();
  command.add_option("ID", arguments->ids, "ids, or their first characters (at least 4)")
      .type_name("");
  command.add_flag("--all", arguments->all, "all open conflicts");
  command.add_option("--table", arguments->table, "with --all: of this table only")
      .type_name("TABLE");
  command.add_option("--take", arguments->take, "the side whose value stands")
      .one_of({"primary", "secondary"});
  command
      .add_option("--set", arguments->set,
                  "a value for a column of the secondary (--take then says whose the others are); "
                  "COLUMN=-: from standard input; -: lines of COLUMN=VALUE there")
      .type_name("COLUMN=VALUE")
      .one_at_a_time();
  command.add_option("--set-null", arguments->set_null, "instead: NULL for a column")
      .type_name("COLUMN")
      .one_at_a_time();
  command
      .add_option("--from", arguments->from,
                  "what was decided on the page of report --decide: the file that it has saved, or "
                  "one with its address; -: from standard input")
      .type_name("FILE");
  command.add_option("--reason", arguments->reason, "why, for the journal").type_name("TEXT");
  command.callback([&context, arguments] {
    context.run = [&context, arguments] { return decide(context, *arguments); };
  });
}

}  // namespace abgleich::cmd
