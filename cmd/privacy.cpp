// `abgleich privacy`: what leaves in which class, and how well it is hidden; `--erased` proves that
// a person who was deleted is gone.
#include "sync/check/privacy.hpp"

#include "command.hpp"
#include "core/visible_text.hpp"
#include "report/privacy.hpp"
#include "sync/backup/erased.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include <memory>

namespace abgleich::cmd {

namespace {

constexpr const char* kAbout =
    R"(--erased looks for a pseudonym in the tables of the contract, every record of the bookkeeping, and the
files of the state directory that can have one (cache, rare_keys, reveal.log), and says where it still is and
until when. Backups that were made here are named, since each may still have it; --search-backups restores
one after the other beside the secondary, as a drill does, and looks. What it cannot see: other tables of the
secondary, backups and logs of the databases' own servers, and copies that people have made. Exit code 0: it
is gone; 1: it is still somewhere, or may be in a backup that was not searched.

)";

struct Arguments {
  bool markdown = false;
  std::optional<std::string> erased;
  bool search_backups = false;
};

std::string text_of(const sync::Erased& erased) {
  std::string text;
  for (const auto& place : erased.places) {
    text += fmt::format("{} {}{}: {}\n", place.certain ? "in" : "perhaps in", visible(place.where),
                        place.rows == 0   ? std::string()
                        : place.rows == 1 ? std::string(", once")
                                          : fmt::format(", {} times", place.rows),
                        visible(place.until));
  }
  text += fmt::format("looked at: {}\n", fmt::join(erased.looked, "; "));
  return text + fmt::format("{} is {}\n", visible(erased.pseudonym),
                            erased.places.empty() ? "gone" : "not proven to be gone");
}

nlohmann::ordered_json json_of(const sync::Erased& erased) {
  nlohmann::ordered_json json = {{"schema", "abgleich.erased/1"},
                                 {"pseudonym", erased.pseudonym},
                                 {"gone", erased.places.empty()},
                                 {"places", nlohmann::ordered_json::array()},
                                 {"looked_at", erased.looked}};
  for (const auto& place : erased.places) {
    json["places"].push_back({{"where", place.where},
                              {"rows", place.rows},
                              {"until", place.until},
                              {"certain", place.certain}});
  }
  return json;
}

Code print_erased(const Context& context, const Arguments& arguments) {
  const auto erased =
      sync::look_for(context.pairing(), *arguments.erased,
                     arguments.search_backups ? sync::SearchBackups::yes : sync::SearchBackups::no);
  if (context.json) {
    print_json(json_of(erased));
  } else if (!erased.places.empty() || context.loudness() != Loudness::problems) {
    print(text_of(erased));
  }
  return erased.places.empty() ? Code::done : Code::differences;
}

Code run(const Context& context, const Arguments& arguments) {
  if (arguments.erased) {
    return print_erased(context, arguments);
  }
  const auto privacy = sync::privacy(context.pairing());
  print(context.json         ? report::json_line(privacy) + "\n"
        : arguments.markdown ? report::markdown_of(privacy)
                             : report::text_of(privacy));
  return Code::done;
}

}  // namespace

void setup_privacy(CommandLine app, Context& context) {
  auto command = app.add_subcommand(
      "privacy", "what leaves in which class; k-anonymity and l-diversity of the secondary");
  command.explain(kAbout);
  const auto arguments = std::make_shared<Arguments>();
  const auto markdown =
      command.add_flag("--markdown", arguments->markdown,
                       "as a page for the record of processing activities, every column named");
  auto erased = command
                    .add_option("--erased", arguments->erased,
                                "whether this pseudonym is gone, or where it is until when")
                    .type_name("PSEUDONYM");
  erased.excludes(markdown);
  command
      .add_flag("--search-backups", arguments->search_backups,
                "restore the backups that were made here, and look into them, too")
      .needs(erased);
  command.callback([&context, arguments] {
    context.run = [&context, arguments] { return run(context, *arguments); };
  });
}

}  // namespace abgleich::cmd
