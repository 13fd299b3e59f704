// `abgleich init`: writes a first configuration and contract, from the primary's catalogue and
// without its values.
#include "sync/check/init.hpp"

#include "command.hpp"
#include "contract/words.hpp"
#include "core/visible_text.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <memory>
#include <optional>

namespace abgleich::cmd {

namespace {

constexpr const char* kAbout =
    R"(Columns are guessed from names and types; whether the role may read them yet makes no difference.
Beside the files stands grants.sql, with the rights that the roles need for that contract, where the
databases have roles, and .gitignore, which keeps key and state out of git.

--again keeps configuration, accepted catalogue, key, and what the contract says. It adds what is new
in the primary, names what is gone, and writes grants.sql anew.

)";

struct Arguments {
  std::optional<std::string> primary;
  std::optional<std::string> secondary;
  std::optional<std::filesystem::path> directory;
  bool again = false;
};

/// The configuration file that --again starts from.
std::filesystem::path config_of(const Context& context, const Arguments& arguments) {
  return arguments.directory ? *arguments.directory / "abgleich.toml" : context.config_file();
}

nlohmann::ordered_json json_of(const sync::Made& made, bool again) {
  nlohmann::ordered_json json = {
      {"schema", "abgleich.init/1"},
      {"config", made.config.string()},
      {"contract", made.contract.string()},
      {"catalog", made.catalog.string()},
      {"key", made.key.string()},
      {"tables", made.tables},
      {"exported", made.exported},
      {"grants", made.grants ? nlohmann::ordered_json(made.grants->string()) : nullptr},
      {"ignore", made.ignore.string()}};
  if (again) {
    json["again"] = {{"tables", made.again.tables},
                     {"columns", made.again.columns},
                     {"gone", made.again.gone},
                     {"unfit", made.again.unfit}};
  }
  return json;
}

std::string counted(std::size_t count, std::string_view what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

std::string added_text(const sync::Made& made) {
  std::string text;
  for (const auto& table : made.again.tables) {
    text += fmt::format("+ table {}\n", visible(table));
  }
  for (const auto& column : made.again.columns) {
    text += fmt::format("+ column {}\n", visible(column));
  }
  for (const auto& name : made.again.gone) {
    text +=
        fmt::format("- {}: gone from the primary; the contract still names it\n", visible(name));
  }
  for (const auto& table : made.again.unfit) {
    text += fmt::format(
        "! table {}: new, but what would be guessed does not go with the contract; write its "
        "section by hand\n",
        visible(table));
  }
  return text;
}

/// What a person has to do next.
std::string next_text(const sync::Made& made) {
  const auto command =
      fmt::format("abgleich --config {}", contract::in_shell(made.config.string()));
  if (made.exported == 0) {
    return fmt::format(
        "the contract exports no table: none has a key that this could guess. See why in '{}', "
        "name the keys there, or correct [primary] schema in '{}'; then run: {} init --again\n",
        made.contract.string(), made.config.string(), command);
  }
  return fmt::format("next: read and correct the contract{}, then run: {} check\n",
                     made.grants ? fmt::format(", let the databases' administrators run '{}'",
                                               made.grants->string())
                                 : std::string(),
                     command);
}

std::string made_text(const sync::Made& made) {
  return fmt::format(
      "made '{}', '{}', '{}'{} and the key '{}' from {}\n"
      "'{}' keeps the key and the state directory out of git\n",
      made.config.string(), made.contract.string(), made.catalog.string(),
      made.grants ? fmt::format(", '{}'", made.grants->string()) : std::string(), made.key.string(),
      counted(made.tables, "table"), made.ignore.string());
}

std::string again_text(const sync::Made& made) {
  const auto added = made.again.tables.size() + made.again.columns.size();
  return added_text(made) +
         (added == 0
              ? std::string("nothing is new; the contract stays as it is\n")
              : fmt::format("added {} and {} to '{}'\n", counted(made.again.tables.size(), "table"),
                            counted(made.again.columns.size(), "column"), made.contract.string()));
}

Code run(const Context& context, const Arguments& arguments) {
  if (arguments.again && (arguments.primary || arguments.secondary)) {
    throw Failure(Code::usage, "--again takes the databases from the configuration",
                  "leave out --primary and --secondary; to change a URL, edit the configuration");
  }
  if (!arguments.again && (!arguments.primary || !arguments.secondary)) {
    throw Failure(Code::usage, "init needs --primary and --secondary",
                  "abgleich init --primary URL --secondary URL; in a directory with a "
                  "configuration: abgleich init --again");
  }
  const auto made = arguments.again
                        ? sync::init_again(config_of(context, arguments), context.on_statement())
                        : sync::init({.primary = *arguments.primary,
                                      .secondary = *arguments.secondary,
                                      .directory = arguments.directory.value_or(".")},
                                     context.on_statement());
  if (context.json) {
    print_json(json_of(made, arguments.again));
  } else if (context.loudness() != Loudness::problems) {
    print((arguments.again ? again_text(made) : made_text(made)) + next_text(made));
  }
  return Code::done;
}

}  // namespace

void setup_init(CommandLine app, Context& context) {
  auto command = app.add_subcommand(
      "init", "write a first configuration, contract, catalogue, key and grants for a primary");
  command.explain(kAbout);
  const auto arguments = std::make_shared<Arguments>();
  command.add_option("--primary", arguments->primary, "the database that is read").type_name("URL");
  command.add_option("--secondary", arguments->secondary, "the database that is merged into")
      .type_name("URL");
  command
      .add_option("--directory", arguments->directory,
                  "where the files go, or with --again are; the working directory")
      .type_name("DIR");
  command.add_flag("--again", arguments->again,
                   "add to the contract what is new in the primary; the rest stays");
  command.callback([&context, arguments] {
    context.run = [&context, arguments] { return run(context, *arguments); };
  });
}

}  // namespace abgleich::cmd
