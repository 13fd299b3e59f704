// `abgleich keys`: the key file.
#include "command.hpp"
#include "contract/config.hpp"
#include "mask/keyring.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace abgleich::cmd {

namespace {

Code generate(const Context& context) {
  const auto config = contract::read_config(context.config_file());
  mask::Keyring::generate(config.key_file);
  if (context.loudness() != Loudness::problems) {
    print(
        fmt::format("made '{}'; keep a copy of it in a safe, apart from the databases: without "
                    "it no run can go on\n",
                    config.key_file.string()));
  }
  return Code::done;
}

Code check(const Context& context) {
  const auto config = contract::read_config(context.config_file());
  const auto keyring = mask::Keyring::read(config.key_file);
  if (context.json) {
    const nlohmann::ordered_json json = {{"file", config.key_file.string()},
                                         {"epoch", keyring.epoch()},
                                         {"check_value", keyring.check_value()}};
    print(json.dump() + "\n");
  } else if (context.loudness() != Loudness::problems) {
    print(fmt::format("ok: '{}', epoch {}, check value {}\n", config.key_file.string(),
                      keyring.epoch(), keyring.check_value()));
  }
  return Code::done;
}

}  // namespace

void setup_keys(CommandLine app, Context& context) {
  auto command = app.add_subcommand("keys", "the key file");
  command.require_subcommand();
  command.fallthrough();
  command.add_subcommand("generate", "make a new key file; never overwrites one")
      .callback([&context] { context.run = [&context] { return generate(context); }; });
  command.add_subcommand("check", "whether the key file can be used, and its check value")
      .callback([&context] { context.run = [&context] { return check(context); }; });
}

}  // namespace abgleich::cmd
