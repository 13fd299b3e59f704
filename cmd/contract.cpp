// `abgleich contract`: adds columns, changes their lines, shows what leaves, and records who
// decided that more may leave.
#include "contract/contract.hpp"

#include "command.hpp"
#include "contract/edit.hpp"
#include "core/replace_file.hpp"
#include "core/shortage.hpp"
#include "core/visible_text.hpp"
#include "sync/run/leaving.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <fstream>
#include <memory>
#include <sstream>
#include <sys/stat.h>
#include <system_error>

namespace abgleich::cmd {

namespace {

struct Arguments {
  std::string name;
  contract::NewColumn column;
};

std::string read_text(const std::filesystem::path& file) {
  std::ostringstream text;
  text << std::ifstream(file, std::ios::binary).rdbuf();
  return text.str();
}

/// Where the disk is full, the old contract stays whole.
void replace_contract(const std::filesystem::path& file, std::string_view text) {
  struct stat status {};
  ::stat(file.c_str(), &status);
  try {
    replace_file(file, text, status.st_mode & 0777U);
  } catch (const std::system_error& error) {
    const auto shortage = shortage_of(error.code().value());
    throw Failure(shortage ? shortage->code : Code::configuration,
                  fmt::format("cannot write '{}': {}; the contract is as it was", file.string(),
                              std::generic_category().message(error.code().value())),
                  std::string(shortage ? shortage->hint
                                       : "look at the rights of the file and its directory, then "
                                         "run the same command again"));
  }
}

Code add(const Context& context, const Arguments& arguments) {
  const auto pairing = context.pairing();
  const auto& file = pairing.config.contract;
  auto column = contract::named_column(pairing.contract, arguments.name);
  column.cls = arguments.column.cls;
  column.identity = arguments.column.identity;
  column.normalise = arguments.column.normalise;
  column.to = arguments.column.to;
  column.reference = arguments.column.reference;
  replace_contract(file, contract::add_column(read_text(file), file, column));
  if (context.json) {
    const nlohmann::ordered_json json = {{"schema", "abgleich.contract-add/1"},
                                         {"contract", file.string()},
                                         {"table", column.table},
                                         {"column", column.column},
                                         {"class", column.cls}};
    print_json(json);
  } else if (context.loudness() != Loudness::problems) {
    print(fmt::format("added '{}' to '{}'; then run: abgleich drift accept{}\n",
                      visible(arguments.name), visible(file.string()),
                      column.cls == "withhold"
                          ? ""
                          : "; and, since more leaves by it: abgleich contract accept --reason "
                            "TEXT"));
  }
  return Code::done;
}

struct Change {
  std::string name;
  contract::ColumnEdit edit;
};

Code set(const Context& context, const Change& change) {
  if (change.edit.cls.empty() == change.edit.as.empty()) {
    throw Failure(Code::usage, "what is to be set is not said, or is said twice",
                  "write --class withhold, or --as NAME");
  }
  const auto pairing = context.pairing();
  const auto& file = pairing.config.contract;
  const auto named = contract::named_column(pairing.contract, change.name);
  auto edit = change.edit;
  edit.table = named.table;
  edit.column = named.column;
  replace_contract(file, contract::edit_column(read_text(file), file, edit));
  if (context.json) {
    const nlohmann::ordered_json json = {{"schema", "abgleich.contract-set/1"},
                                         {"contract", file.string()},
                                         {"table", edit.table},
                                         {"column", edit.column}};
    print_json(json);
  } else if (context.loudness() != Loudness::problems) {
    print(fmt::format("changed '{}' in '{}'; then run: abgleich sync\n", visible(change.name),
                      visible(file.string())));
  }
  return Code::done;
}

using Way = contract::LeavingChange::Way;

std::int64_t widenings(const std::vector<contract::LeavingChange>& changes) {
  return std::ranges::count(changes, Way::more, &contract::LeavingChange::way);
}

void print_changes(const Context& context, const std::vector<contract::LeavingChange>& changes) {
  for (const auto& change : changes) {
    const bool more = change.way == Way::more;
    if (context.json) {
      print_json({{"table", change.table},
                  {"column", change.column.empty() ? nlohmann::ordered_json(nullptr)
                                                   : nlohmann::ordered_json(change.column)},
                  {"leaves_now", change.now},
                  {"left_before", change.before},
                  {"more", more}});
      continue;
    }
    print(fmt::format("{} {}{}{}: leaves now: {}; left before: {}\n", more ? "+" : "-",
                      visible(change.table), change.column.empty() ? "" : ".",
                      visible(change.column), visible(change.now), visible(change.before)));
  }
}

Code diff(const Context& context, bool exit_code) {
  const auto report = sync::compare_leaving(context.pairing());
  print_changes(context, report.changes);
  const auto more = widenings(report.changes);
  if (!context.json && context.loudness() != Loudness::problems) {
    print(report.first             ? "no run yet: the first one needs no decision\n"
          : report.changes.empty() ? "what leaves is what left before\n"
          : more == 0
              ? "no more leaves than before\n"
              : fmt::format("{} more; if that is meant: abgleich contract accept --reason TEXT\n",
                            more == 1 ? "1 of these lets" : fmt::format("{} of these let", more)));
  }
  return exit_code && !report.changes.empty() ? Code::differences : Code::done;
}

Code accept(Context& context, const std::string& reason) {
  const auto accepted = sync::accept_leaving(context.pairing(), reason);
  context.applied = {accepted.run.value_or(""), Code::done};
  const auto more = widenings(accepted.report.changes);
  if (context.json) {
    print_json({{"schema", "abgleich.contract-accept/1"},
                {"run", accepted.run ? nlohmann::ordered_json(*accepted.run)
                                     : nlohmann::ordered_json(nullptr)},
                {"more", more}});
    return Code::done;
  }
  if (context.loudness() == Loudness::problems) {
    return Code::done;
  }
  if (!accepted.run) {
    print(accepted.report.first ? "nothing to decide: the first run has nothing before it\n"
                                : "nothing to decide: no more leaves than before\n");
    return Code::done;
  }
  print_changes(context, accepted.report.changes);
  print(fmt::format("run {} applied: it is written down; now run: abgleich sync\n", *accepted.run));
  return Code::done;
}

}  // namespace

void setup_contract(CommandLine app, Context& context) {
  auto command = app.add_subcommand(
      "contract", "what may leave: compare it with before, decide, name and change columns");
  command.require_subcommand();
  command.fallthrough();
  auto comparing = command.add_subcommand("diff", "what leaves now, against what left before");
  const auto exit_code = std::make_shared<bool>(false);
  comparing.add_flag("--exit-code", *exit_code, "exit with 1 where they differ");
  comparing.callback([&context, exit_code] {
    context.run = [&context, exit_code] { return diff(context, *exit_code); };
  });
  auto accepting = command.add_subcommand(
      "accept", "write down who decided that more may leave, and why; then run sync");
  const auto reason = std::make_shared<std::string>();
  accepting.add_option("--reason", *reason, "why, for the journal").required().type_name("TEXT");
  accepting.callback([&context, reason] {
    context.run = [&context, reason] { return accept(context, *reason); };
  });
  auto adding = command.add_subcommand("add", "name a new column, keeping comments and order");
  const auto arguments = std::make_shared<Arguments>();
  adding.add_option("TABLE.COLUMN", arguments->name, "of the primary").required().type_name("");
  adding.add_option("--class", arguments->column.cls, "plain, pseudonym, generalise or withhold")
      .required()
      .one_of({"plain", "pseudonym", "generalise", "withhold"});
  adding.add_option("--identity", arguments->column.identity, "of a pseudonym: whose value it is")
      .type_name("NAME");
  adding
      .add_option("--normalise", arguments->column.normalise,
                  "of a pseudonym: text, name, phone or email")
      .type_name("WORD");
  adding
      .add_option("--to", arguments->column.to,
                  "of a generalised column: year, month, age-band:10, …")
      .type_name("WORD");
  adding.add_option("--reference", arguments->column.reference, "of an age band: YYYY-MM-DD")
      .type_name("DATE");
  adding.callback([&context, arguments] {
    context.run = [&context, arguments] { return add(context, *arguments); };
  });
  auto setting = command.add_subcommand(
      "set", "change the line of one column: --class withhold, or --as NAME");
  const auto change = std::make_shared<Change>();
  setting.add_option("TABLE.COLUMN", change->name, "of the primary").required().type_name("");
  setting.add_option("--class", change->edit.cls, "withhold: the column leaves no longer")
      .one_of({"withhold"});
  setting.add_option("--as", change->edit.as, "its new name in the secondary").type_name("NAME");
  setting.callback(
      [&context, change] { context.run = [&context, change] { return set(context, *change); }; });
}

}  // namespace abgleich::cmd
