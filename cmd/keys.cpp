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
  if (context.json) {
    print(nlohmann::ordered_json{{"file", config.key_file.string()}}.dump() + "\n");
  } else if (context.loudness() != Loudness::problems) {
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

Code rotate(const Context& context) {
  const auto config = contract::read_config(context.config_file());
  if (!config.key_credential.empty()) {
    throw Failure(Code::key_or_trust,
                  fmt::format("the key is the systemd credential '{}', which cannot be written",
                              config.key_credential),
                  "rotate the file that the credential is made of: write it into [keys] file of a "
                  "configuration of its own, and name that with --config");
  }
  const int epoch = mask::Keyring::rotate(config.key_file);
  if (context.json) {
    const auto keyring = mask::Keyring::read(config.key_file);
    const nlohmann::ordered_json json = {{"file", config.key_file.string()},
                                         {"epoch", keyring.epoch()},
                                         {"check_value", keyring.check_value()}};
    print(json.dump() + "\n");
  } else if (context.loudness() != Loudness::problems) {
    print(
        fmt::format("added epoch {} to '{}'; keep a copy of it in a safe, apart from the "
                    "databases; then run: abgleich sync\n",
                    epoch, config.key_file.string()));
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
  command
      .add_subcommand("rotate",
                      "add a new epoch of keys; the next sync gives every pseudonym its new form")
      .callback([&context] { context.run = [&context] { return rotate(context); }; });
}

}  // namespace abgleich::cmd
