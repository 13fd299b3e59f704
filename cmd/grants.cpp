// `abgleich grants`: the statements that give the pairing's roles exactly what they need.
#include "sync/check/grants.hpp"

#include "command.hpp"
#include "report/grants.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <memory>

namespace abgleich::cmd {

namespace {

constexpr const char* kAbout =
    R"(For the role that reads the primary and the role that writes the secondary, as the URLs of the
configuration name them. An administrator of each database runs what is printed, by psql. Nothing is
printed but comments where a role may do exactly what the contract needs. Rights that a role has from
elsewhere (PUBLIC, another role, ownership) are named in comments: a statement for this role alone does
not take them.

)";

struct Arguments {
  bool primary = false;
  bool secondary = false;
};

nlohmann::ordered_json json_of(const std::optional<db::Grants>& grants) {
  if (!grants) {
    return nullptr;
  }
  return {{"role", grants->role},
          {"superuser", grants->superuser},
          {"statements", grants->statements},
          {"surplus", grants->surplus},
          {"remarks", grants->remarks}};
}

Code run(const Context& context, const Arguments& arguments) {
  const auto pairing = context.pairing();
  const bool both = arguments.primary == arguments.secondary;
  nlohmann::ordered_json json = {{"schema", "abgleich.grants/1"}};
  std::string text;
  const auto tell = [&](const char* database, const std::optional<db::Grants>& grants) {
    json[database] = json_of(grants);
    text += report::text_of(database, grants);
  };
  if (both || arguments.primary) {
    tell("primary", sync::grants_in_primary(pairing));
  }
  if (both || arguments.secondary) {
    tell("secondary", sync::grants_in_secondary(pairing));
  }
  if (context.json) {
    print_json(json);
  } else {
    print(text);
  }
  return Code::done;
}

}  // namespace

void setup_grants(CommandLine app, Context& context) {
  auto command = app.add_subcommand(
      "grants", "the GRANTs and REVOKEs that give the roles exactly the rights that they need");
  command.explain(kAbout);
  const auto arguments = std::make_shared<Arguments>();
  command.add_flag("--primary", arguments->primary, "of the role that reads the primary only");
  command.add_flag("--secondary", arguments->secondary,
                   "of the role that writes the secondary only");
  command.callback([&context, arguments] {
    context.run = [&context, arguments] { return run(context, *arguments); };
  });
}

}  // namespace abgleich::cmd
