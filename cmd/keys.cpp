// `abgleich keys`: the key file.
#include "command.hpp"
#include "contract/config.hpp"
#include "mask/keyring.hpp"
#include "sync/run/key_check.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace abgleich::cmd {

namespace {

/// Throws Failure{key_or_trust} where the key is a systemd credential. `what`: what was to be done
/// to the key file, such as "rotate".
void expect_file(const contract::Config& config, std::string_view what) {
  if (!config.key_credential.empty()) {
    throw Failure(
        Code::key_or_trust,
        fmt::format("the key is the systemd credential '{}', which cannot be written",
                    config.key_credential),
        fmt::format("{} the file that the credential is made of: name it as [keys] file in "
                    "a configuration of its own, and that with --config",
                    what));
  }
}

Code generate(const Context& context) {
  const auto config = sync::load_config(context.config_file());
  expect_file(config, "generate");
  mask::Keyring::generate(config.key_file);
  if (context.json) {
    print_json({{"file", config.key_file.string()}});
  } else if (context.loudness() != Loudness::problems) {
    print(
        fmt::format("made '{}'; keep a copy of it in a safe, apart from the databases: without "
                    "it no run can go on\n",
                    config.key_file.string()));
  }
  return Code::done;
}

Code check(const Context& context) {
  const auto config = sync::load_config(context.config_file());
  const auto keyring = mask::Keyring::read(config.key_file);
  const auto secondary = sync::check_key(config, keyring);
  using Is = sync::KeyCheck::Is;
  if (context.json) {
    const nlohmann::ordered_json json = {
        {"file", config.key_file.string()},
        {"epoch", keyring.epoch()},
        {"check_value", keyring.check_value()},
        {"secondary", secondary.is == Is::this_one   ? "this key"
                      : secondary.is == Is::none_yet ? "no pseudonyms yet"
                                                     : "unknown"}};
    print_json(json);
  } else if (context.loudness() != Loudness::problems) {
    print(fmt::format("ok: '{}', epoch {}, check value {}; {}\n", config.key_file.string(),
                      keyring.epoch(), keyring.check_value(),
                      secondary.is == Is::this_one ? "the secondary's pseudonyms are of it"
                      : secondary.is == Is::none_yet
                          ? "the secondary has no pseudonyms yet"
                          : "whether the secondary's pseudonyms are of it, is not "
                            "known: " +
                                secondary.why->message));
  }
  return Code::done;
}

Code rotate(const Context& context) {
  const auto config = sync::load_config(context.config_file());
  expect_file(config, "rotate");
  const int epoch = mask::Keyring::rotate(config.key_file);
  if (context.json) {
    const auto keyring = mask::Keyring::read(config.key_file);
    const nlohmann::ordered_json json = {{"file", config.key_file.string()},
                                         {"epoch", keyring.epoch()},
                                         {"check_value", keyring.check_value()}};
    print_json(json);
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
