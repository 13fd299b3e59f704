// `abgleich restore`: what to type on a new machine, and the drill that proves a backup.
#include "command.hpp"
#include "core/clock.hpp"
#include "core/shell_word.hpp"
#include "core/visible_text.hpp"
#include "progress.hpp"
#include "report/pulse.hpp"
#include "sync/backup/drill.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <memory>
#include <set>

namespace abgleich::cmd {

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr const char* kAbout =
    R"(Without --drill it changes nothing and needs no configuration: it checks that the backup is whole and,
with your own copy of the key (--key FILE), that nobody else has written it. Then it prints the commands that
bring its files back, to be read and then given to sh. Without a key it prints no commands.

With --drill it restores the backup beside the original: SQLite into a private directory for temporary files,
PostgreSQL into a new database on the secondary's server, which is dropped at the end. Then it checks what
`verify` checks: seals, the chain of runs, every base, and where the primary can be reached every row. It
says how old the backup is, at which run it stands and how far it is behind. Nothing of the original is
written; the state directory records when the drill was, and `check` warns after 30 days. Without DIRECTORY
it takes the backup that was made last.

Where the role may not make a database, --to names an empty one. What was restored stays there, with no
rights of people: it can become the new secondary.

Exit codes: 41, the backup is not as it was made, or what it was made of was damaged: take another one (no
latch is set); 25, it was made with another key; 26, the role may not make a database.

)";

struct Arguments {
  fs::path directory;
  std::optional<fs::path> key;
  std::optional<std::string> to;
  bool drill = false;
};

std::string behind_text(const sync::Drilled& drilled) {
  std::string text;
  if (drilled.runs_behind) {
    text += *drilled.runs_behind == 0
                ? std::string("the secondary has had no run since\n")
                : fmt::format("the secondary has had {} {} since\n", *drilled.runs_behind,
                              *drilled.runs_behind == 1 ? "run" : "runs");
  }
  if (drilled.rows_behind) {
    text += fmt::format("compared with the primary: {} {} not yet synced in it\n",
                        *drilled.rows_behind, *drilled.rows_behind == 1 ? "row is" : "rows are");
  }
  return text;
}

std::string text_of(const sync::Drilled& drilled) {
  const auto& manifest = drilled.manifest;
  auto text = fmt::format("backup '{}' of {}, {} old, at run {}; the key is from {}\n",
                          visible(drilled.directory.string()), visible(manifest.made),
                          report::span_text(drilled.age), visible(manifest.run),
                          drilled.key == "backup" ? "the backup" : "this machine");
  text += behind_text(drilled);
  for (const auto& damage : drilled.damage) {
    text +=
        fmt::format("damaged: {}{}\n     hint: {}\n",
                    damage.table.empty() ? "" : fmt::format("table '{}': ", visible(damage.table)),
                    visible(damage.what), damage.hint);
  }
  if (!drilled.stays.empty()) {
    text += fmt::format(
        "what was restored stays in {}: use it as the secondary, or drop it; people need their "
        "rights there again\n",
        visible(drilled.stays));
  }
  text +=
      drilled.damage.empty()
          ? "it can be restored: bookkeeping, bases and the number of rows are as the runs left "
            "them\n"
          : "it is no backup to rely on\n";
  return text;
}

Json json_of(const sync::Drilled& drilled) {
  const auto& manifest = drilled.manifest;
  Json json = {{"schema", "abgleich.drill/1"},
               {"directory", drilled.directory.string()},
               {"made", manifest.made},
               {"age_seconds", drilled.age},
               {"run", manifest.run},
               {"epoch", manifest.epoch},
               {"key", drilled.key},
               {"runs_behind", drilled.runs_behind ? Json(*drilled.runs_behind) : Json(nullptr)},
               {"rows_behind", drilled.rows_behind ? Json(*drilled.rows_behind) : Json(nullptr)},
               {"damage", Json::array()},
               {"notes", drilled.notes},
               {"stays", drilled.stays.empty() ? Json(nullptr) : Json(drilled.stays)},
               {"exit", static_cast<int>(drilled.code)}};
  for (const auto& damage : drilled.damage) {
    json["damage"].push_back(
        {{"table", damage.table}, {"what", damage.what}, {"hint", damage.hint}});
  }
  return json;
}

Code drill(const Context& context, const Arguments& arguments) {
  const auto progress = make_progress(context);
  const auto drilled = sync::drill(
      context.pairing(), {.directory = arguments.directory, .to = arguments.to}, *progress);
  progress->done();
  if (context.json) {
    print_json(json_of(drilled));
    return drilled.code;
  }
  for (const auto& note : drilled.notes) {
    complain("note: " + visible(note) + "\n");
  }
  if (drilled.code != Code::done || context.loudness() != Loudness::problems) {
    print(text_of(drilled));
  }
  return drilled.code;
}

/// The commands for one file. They never replace a file that is there, leave no half of one, and
/// end the script where they fail.
std::string install_line(const fs::path& from, const fs::path& to) {
  const auto name = in_shell(to.string());
  const auto beside = in_shell(to.string() + ".new");
  return fmt::format("test -e {0} || install -m 0600 {1} {2}\ntest -e {0} || mv -n {2} {0}\n", name,
                     in_shell(from.string()), beside);
}

/// Ends the script where a log lies in the place of a database file that is gone: it would be read
/// into the one that is put there. That of a database that is there belongs to it.
std::string free_lines(const fs::path& database) {
  const auto there = in_shell(database.string());
  std::string text;
  for (const auto* const end : {"-wal", "-shm", "-journal"}) {
    const auto name = in_shell(database.string() + end);
    text += fmt::format(
        "test -e {0} || test ! -e {1} || {{ echo move it away first: {1} >&2; exit 1; }}\n", there,
        name);
  }
  return text;
}

std::string about(const sync::Manifest& manifest) {
  return fmt::format("# backup of {}, {} old, of pairing {}, at run {}\n", visible(manifest.made),
                     report::span_text(seconds_since(manifest.made)), visible(manifest.pairing),
                     visible(manifest.run));
}

/// What there is to do before anything else.
std::string unchecked(const fs::path& directory, const sync::Manifest& manifest) {
  return about(manifest) +
         fmt::format(
             "# Every file is as backup.json says, but anybody may have written both. Check it "
             "with your copy of the key\n# ({}), and the commands are printed:\n#   abgleich "
             "restore {} --key FILE\n",
             manifest.key ? "that in the backup proves nothing" : "it is not in the backup",
             visible(in_shell(directory.string())));
}

std::string key_lines(const sync::Manifest& manifest, const fs::path& key) {
  if (manifest.key_from.empty()) {
    return "# the key comes from systemd: see LoadCredential= in the unit\n";
  }
  return manifest.key ? std::string()
                      : "# the key is not in the backup; this is your copy of it\n" +
                            install_line(key, manifest.key_from);
}

/// A script for sh, for the user who runs abgleich; each line can be read by itself.
std::string instructions(const fs::path& directory, const sync::Manifest& manifest,
                         const fs::path& key) {
  auto text = about(manifest) +
              "# to be run by the user who runs abgleich; nothing that is there is replaced\n"
              "set -e\numask 077\n";
  std::set<std::string> folders;
  const auto add_folder = [&](const fs::path& file) {
    if (!file.empty()) {
      folders.insert(file.parent_path().string());
    }
  };
  add_folder(manifest.key_from);
  for (const auto& file : manifest.files) {
    add_folder(file.from);
  }
  for (const auto& folder : folders) {
    text += fmt::format("test -d {0} || mkdir -p {0}\n", in_shell(folder));
  }
  bool copied = false;
  for (const auto& file : manifest.files) {
    if (file.from.empty()) {
      continue;
    }
    if (file.name.starts_with("secondary")) {
      copied = true;
      text += free_lines(file.from);
    }
    text += install_line(directory / file.name, file.from);
  }
  text += key_lines(manifest, key);
  const auto config = in_shell(manifest.file(sync::kBackedUpConfig).from.string());
  if (!copied) {
    text += fmt::format(
        "# the secondary is on a server of its own ({}). Only if it is lost, too: make an empty "
        "database, and\n#   abgleich --config {} restore --drill {} --to URL-OF-THAT-DATABASE\n# "
        "then write that url below [secondary]\n",
        visible(manifest.url), visible(config), visible(in_shell(directory.string())));
  }
  return text + fmt::format("abgleich --config {0} check\nabgleich --config {0} sync\n", config);
}

Code show(const Context& context, const Arguments& arguments) {
  if (arguments.directory.empty()) {
    throw Failure(Code::usage, "which backup?",
                  "name its directory, or add --drill: abgleich restore --drill");
  }
  const auto directory = fs::absolute(arguments.directory);
  const auto manifest = sync::read_manifest(directory);
  sync::expect_whole(directory, manifest);
  // never the key in the place that the manifest names: whoever wrote that may have put one there
  std::optional<fs::path> key;
  if (arguments.key) {
    key = fs::absolute(*arguments.key);
    sync::expect_genuine(manifest, *key);
  }
  if (context.json) {
    Json json = {{"schema", "abgleich.restore/1"},
                 {"directory", directory.string()},
                 {"made", manifest.made},
                 {"age_seconds", seconds_since(manifest.made)},
                 {"run", manifest.run},
                 {"epoch", manifest.epoch},
                 {"key", manifest.key},
                 {"checked", key.has_value()},
                 {"files", Json::array()}};
    for (const auto& file : manifest.files) {
      json["files"].push_back(
          {{"name", file.name},
           {"from", file.from.empty() ? Json(nullptr) : Json(file.from.string())},
           {"bytes", file.bytes},
           {"sha256", file.sha256}});
    }
    print_json(json);
    return Code::done;
  }
  print(visible(key ? instructions(directory, manifest, *key) : unchecked(directory, manifest),
                Lines::several));
  return Code::done;
}

}  // namespace

void setup_restore(CommandLine app, Context& context) {
  auto command = app.add_subcommand(
      "restore", "what to do with a backup on a new machine; --drill: prove that it is one");
  command.explain(kAbout);
  const auto arguments = std::make_shared<Arguments>();
  command.add_option("DIRECTORY", arguments->directory, "that `backup` has made").type_name("");
  const auto drilled =
      command.add_flag("--drill", arguments->drill, "restore it beside the original, and check it");
  command
      .add_option("--key", arguments->key,
                  "without --drill: your own copy of the key, to check who wrote the backup")
      .type_name("FILE");
  command.add_option("--to", arguments->to, "into this empty database, where it stays")
      .type_name("URL")
      .needs(drilled);
  command.callback([&context, arguments] {
    context.run = [&context, arguments] {
      return arguments->drill ? drill(context, *arguments) : show(context, *arguments);
    };
  });
}

}  // namespace abgleich::cmd
