// `abgleich backup`: what a person needs after losing this machine, in one directory.
#include "sync/backup/backup.hpp"

#include "command.hpp"
#include "core/shell_word.hpp"
#include "core/visible_text.hpp"
#include "report/json.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <memory>

namespace abgleich::cmd {

namespace {

constexpr const char* kAbout =
    R"(In it: configuration, included file, contract, accepted catalogue, cards of peers and the contracts with
them, what the state directory has to remember, and secondary and bookkeeping as they are at one moment
(PostgreSQL: by pg_dump, the tables of this pairing; SQLite: the whole file). The directory is made, mode
0700; it must not exist, or be empty. It gets its name when all of it is on disk. Runs go on meanwhile.

The key is in it only with --with-key, and so are this node's own keys: then the directory is as secret as
the key. Without, keep a copy of the key in a safe, away from the backup. Passwords are never in it.

Whether it can be restored, `abgleich restore --drill DIRECTORY` shows. Exit code 12: a run begins or ends
just now; try again.

)";

struct Arguments {
  std::filesystem::path directory;
  bool with_key = false;
};

void warn_of_key(const Context& context, const sync::BackedUp& made) {
  if (!made.manifest.key) {
    return;
  }
  const auto message =
      fmt::format("the key is in '{}': who has that directory knows whose every pseudonym is",
                  made.directory.string());
  constexpr const char* kHint =
      "guard it like the key file: encrypted, and not where the secondary's backups are";
  complain(context.json ? report::warning_line(message, kHint) + "\n"
                        : fmt::format("warning: {}\nhint: {}\n", visible(message), kHint));
}

Code run(const Context& context, const Arguments& arguments) {
  const auto made = sync::back_up(context.pairing(), arguments.directory,
                                  arguments.with_key ? sync::WithKey::yes : sync::WithKey::no);
  const auto& manifest = made.manifest;
  if (context.json) {
    nlohmann::ordered_json json = {{"schema", "abgleich.backup-made/1"},
                                   {"directory", made.directory.string()},
                                   {"made", manifest.made},
                                   {"run", manifest.run},
                                   {"epoch", manifest.epoch},
                                   {"key", manifest.key},
                                   {"files", manifest.files.size()},
                                   {"bytes", made.bytes},
                                   {"left_out", nlohmann::ordered_json::array()}};
    for (const auto& file : made.left_out) {
      json["left_out"].push_back(file.string());
    }
    print_json(json);
  } else if (context.loudness() != Loudness::problems) {
    print(fmt::format("made '{}' at run {}: {} files, {} bytes\n", visible(made.directory.string()),
                      visible(manifest.run), manifest.files.size(), made.bytes));
    for (const auto& file : made.left_out) {
      print(fmt::format("not in it, keep a copy of it in a safe: {}\n", visible(file.string())));
    }
    print(fmt::format("now prove that it can be restored: abgleich restore --drill {}\n",
                      visible(in_shell(made.directory.string()))));
  }
  warn_of_key(context, made);
  return Code::done;
}

}  // namespace

void setup_backup(CommandLine app, Context& context) {
  auto command = app.add_subcommand(
      "backup", "make a directory with what is needed after losing this machine");
  command.explain(kAbout);
  const auto arguments = std::make_shared<Arguments>();
  command.add_option("DIRECTORY", arguments->directory, "a new directory").required().type_name("");
  command.add_flag(
      "--with-key", arguments->with_key,
      "the key too, and this node's own keys: the backup is then as secret as they are");
  command.callback([&context, arguments] {
    context.run = [&context, arguments] { return run(context, *arguments); };
  });
}

}  // namespace abgleich::cmd
