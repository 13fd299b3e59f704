#include "manual_page.hpp"

#include "core/error.hpp"
#include "examples.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <fstream>
#include <sstream>
#include <string_view>
#include <utility>
#include <vector>

namespace abgleich::cmd {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kDescription = R"(.B abgleich
takes a read-only snapshot of one database, the primary, lets out only the columns that a contract
names, replaces identifiers by keyed pseudonyms, compares three ways (what both sides agreed on last
time, the primary, the secondary) and merges into a second database, the secondary, which people edit.
Nothing that a person entered there is lost without a rule of the contract or a decision.
.PP
It is meant for cron:
.B abgleich sync \-q
says something only if there is something to do.
)";

constexpr std::string_view kEnvironment = R"(.SH ENVIRONMENT
.TP
.B ABGLEICH_\fIOPTION\fR
the long option of that name, of whichever command is called: ABGLEICH_DRY_RUN=1 is \-\-dry\-run. One
name can mean two things, as ABGLEICH_PRIMARY: to
.B abgleich init
it is the URL of the primary, to
.B abgleich grants
it is 1 for the primary only. Set such a variable for one call, never for all.
.TP
.B PGPASSFILE, PGPASSWORD, …
as for any program that uses libpq
.TP
.B NO_COLOR
no colour, as with \-\-color never
.TP
.B PAGER
what shows long output on a terminal, else less; as with git. Under sudo it is always less, which then
runs no other program (LESSSECURE=1)
.TP
.B LESS
options of less; FRX where it is not set
.TP
.B TZ
the zone of the times that stand beside those in UTC
.SH MEMORY
Rows are streamed, and what has to be remembered of them goes to temporary tables and files of the
databases: a first sync of a million rows stays below 64 MiB. Temporary files hold rows in the
secondary's terms only.
)";

/// A file that commands read or write. `commands`: their names, with a blank before and after each;
/// * for all of them.
struct File {
  std::string_view commands;
  std::string_view name;
  std::string_view what;
};

constexpr auto kFiles = std::to_array<File>({
    {"*", "abgleich.toml",
     "one pairing: --config, else $ABGLEICH_CONFIG, else the working directory, else "
     "/etc/abgleich"},
    {" status ", "/etc/abgleich/NAME.toml",
     "the pairing that --profile NAME means; see --profiles"},
    {" init check drift contract diff sync verify rekey privacy ", "contract.toml",
     "what may leave the primary, and how; reviewed by people, kept in git"},
    {" init drift sync adopt ", "catalog.json",
     "the accepted schema of the primary, which drift accept writes"},
    {" init keys diff sync verify rekey reveal token ", "abgleich.key",
     "what pseudonyms are made with; mode 0600; keep a copy in a safe"},
    {" init grants ", "grants.sql", "the rights that the roles of both databases need"},
    {" sync status quarantine verify adopt resume ", "state/",
     "[state] directory: the lock, what was seen last, and what can be made again"},
    {" reveal token ", "state/reveal.log", "who has asked for what, and why"},
    {" peer ", "node.key", "this node's secret keys; mode 0600; keep a copy in a safe"},
    {" peer ", "NAME.card", "this node's card, for its peers"},
    {" peer check ", "cards/", "the cards of the peers that somebody has vouched for"},
});

/// Commands that are of use together.
constexpr auto kRelated = std::to_array<std::string_view>({
    " init check grants keys ",
    " drift contract rekey verify ",
    " diff sync status ",
    " log show revert resume ",
    " conflicts resolve quarantine report ",
    " privacy report ",
    " adopt verify status ",
    " backup restore verify ",
    " privacy reveal token ",
    " peer check ",
    " help completion ",
});

/// Text that roff prints as it is.
std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else if ((c == '.' || c == '\'') && (out.empty() || out.back() == '\n')) {
      out += std::string("\\&") + c;
    } else {
      out += c;
    }
  }
  return out;
}

/// A line of text of any length, as one paragraph's words.
std::string words_of(std::string_view text) {
  return escaped(text) + "\n";
}

std::string heading(std::string_view page, int section, const std::string& version,
                    std::string_view book) {
  std::string name;
  for (const char c : page) {
    name += static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
  }
  return fmt::format(".TH {} {} \"\" \"{}\" \"{}\"\n.SH NAME\n{} \\- ", escaped(name), section,
                     version, book, escaped(page));
}

std::string names_of(const OptionShape& option) {
  auto text = fmt::format("\\fB{}\\fR", escaped(fmt::format("{}", fmt::join(option.names, ", "))));
  if (!option.words.empty()) {
    text += " " + escaped(fmt::format("{}", fmt::join(option.words, "|")));
  } else if (!option.argument && !option.value.empty()) {
    text += " \\fI" + escaped(option.value) + "\\fR";
  }
  return text;
}

void append_options(const CommandShape& command, std::string& page) {
  for (const auto& option : command.options) {
    page += ".TP\n" + names_of(option) + "\n" + escaped(option.description);
    if (!option.variable.empty()) {
      page += " (\\fB" + escaped(option.variable) + "\\fR)";
    }
    page += option.required ? " (required)\n" : "\n";
  }
}

void append_command(const CommandShape& command, const std::string& called, std::string& page) {
  page += ".SS " + escaped(called) + "\n" + words_of(command.description);
  append_options(command, page);
  for (const auto& inner : command.commands) {
    append_command(inner, called + " " + inner.name, page);
  }
}

void append_examples(std::string_view command, std::string& page) {
  std::string text;
  for (const auto& example : examples()) {
    if (example.command == command) {
      text += ".PP\n" + words_of(example.why) + ".PP\n.RS 4\n.EX\n" + escaped(example.line) +
              "\n.EE\n.RE\n";
    }
  }
  page += text.empty() ? "" : ".SH EXAMPLES\n" + text;
}

void append_exit_codes(const std::string& exit_codes, std::string& page) {
  page += ".SH EXIT STATUS\n.EX\n" + escaped(exit_codes) + "\n.EE\n";
}

/// A line for each form that can be typed.
std::string synopsis_of(const CommandShape& command, const std::string& called) {
  std::string text;
  if (!command.needs_command) {
    text = ".B " + escaped(called) + "\n";
    for (const auto& option : command.options) {
      if (option.required && !option.argument) {
        text += names_of(option) + "\n";
      }
    }
    // \& : roff is not to take the dots for the end of a sentence
    text += "[\\fIOPTION\\fR]...\\&\n";
    for (const auto& option : command.options) {
      if (option.argument) {
        const auto name = option.words.empty()
                              ? "\\fI" + escaped(option.names.front()) + "\\fR"
                              : escaped(fmt::format("{}", fmt::join(option.words, "|")));
        text += (option.required ? name : "[" + name + "]") + (option.several ? "...\\&\n" : "\n");
      }
    }
  }
  for (const auto& inner : command.commands) {
    text += (text.empty() ? "" : ".br\n") + synopsis_of(inner, called + " " + inner.name);
  }
  return text;
}

bool is_in(std::string_view commands, std::string_view name) {
  return commands.find(fmt::format(" {} ", name)) != std::string_view::npos;
}

/// The files of a command; empty: of the program, which is all of them.
void append_files(std::string_view command, std::string& page) {
  std::string text;
  const bool reads_none = command == "help" || command == "completion";
  for (const auto& file : kFiles) {
    if (!reads_none && (command.empty() || file.commands == "*" || is_in(file.commands, command))) {
      text += ".TP\n.I " + escaped(file.name) + "\n" + words_of(file.what);
    }
  }
  page += text.empty() ? "" : ".SH FILES\n" + text;
}

/// "NAME(SECTION), …", as the last heading of a page.
std::string see_also(const std::vector<std::pair<std::string, int>>& pages) {
  std::string text;
  for (const auto& [name, section] : pages) {
    text += fmt::format("{}.BR {} ({})", text.empty() ? "" : ",\n", escaped(name), section);
  }
  return ".SH SEE ALSO\n" + text + "\n";
}

/// The last heading of a command's page: the commands that are of use together with it.
std::string see_also_of(const std::string& command) {
  std::vector<std::pair<std::string, int>> pages{{"abgleich", 1}};
  for (const auto& group : kRelated) {
    std::istringstream names{std::string(group)};
    for (std::string name; is_in(group, command) && names >> name;) {
      const std::pair page("abgleich-" + name, 1);
      if (name != command && std::ranges::find(pages, page) == pages.end()) {
        pages.push_back(page);
      }
    }
  }
  pages.insert(pages.end(),
               {{"abgleich.toml", 5}, {"contract.toml", 5}, {"abgleich-exit-codes", 7}});
  return see_also(pages);
}

std::string command_page(const CommandShape& command, const std::string& version,
                         const std::string& exit_codes) {
  auto page = heading("abgleich-" + command.name, 1, version, "User Commands") +
              escaped(command.description) + "\n.SH SYNOPSIS\n" +
              synopsis_of(command, "abgleich " + command.name) + ".SH DESCRIPTION\n";
  page += command.more.empty() ? words_of(command.description + ".") : words_of(command.more);
  page += ".SH OPTIONS\n";
  append_options(command, page);
  for (const auto& inner : command.commands) {
    append_command(inner, "abgleich " + command.name + " " + inner.name, page);
  }
  page += ".PP\nOptions of every command are in\n.BR abgleich (1).\n";
  append_files(command.name, page);
  append_examples(command.name, page);
  append_exit_codes(exit_codes, page);
  return page + see_also_of(command.name);
}

/// The page of a file format, made from its JSON schema: every key with its description.
class FormatPage {
 public:
  explicit FormatPage(const Json& schema) : schema_(schema) {}

  /// `name`: the file's. `what`: what the file is, in a few words, for apropos. `others`: the pages
  /// to see also.
  std::string page(std::string_view name, std::string_view what, const std::string& version,
                   const std::vector<std::pair<std::string, int>>& others) {
    text_ = heading(name, 5, version, "File Formats") + std::string(what) + "\n.SH DESCRIPTION\n" +
            words_of(schema_.at("description").get<std::string>()) + ".SH KEYS\n";
    append_keys(schema_, "");
    return text_ + see_also(others);
  }

 private:
  /// The node with its `$ref` replaced by what that points to. Keys beside the `$ref` override.
  [[nodiscard]] Json resolved(Json node) const {
    while (node.contains("$ref")) {
      const auto path = node["$ref"].get<std::string>();
      Json target = schema_.at(Json::json_pointer(path.substr(1)));
      node.erase("$ref");
      for (const auto& [key, value] : node.items()) {
        target[key] = value;
      }
      node = target;
    }
    return node;
  }

  /// Of a node with several forms (`oneOf`), the one that has keys of its own; else the node
  /// itself.
  [[nodiscard]] Json with_keys(Json node) const {
    for (const auto& form : node.value("oneOf", Json::array())) {
      auto each = resolved(form);
      if (each.contains("properties")) {
        return each;
      }
    }
    return node;
  }

  static std::string values_of(const Json& node) {
    std::string text;
    if (node.contains("enum")) {
      std::string list;
      for (const auto& word : node["enum"]) {
        list += (list.empty() ? "" : ", ") + word.dump();
      }
      text += " One of: " + list + ".";
    }
    if (node.contains("minimum") && node.contains("maximum")) {
      text += fmt::format(" From {} to {}.", node["minimum"].dump(), node["maximum"].dump());
    }
    if (node.contains("default")) {
      text += " Default: " + node["default"].dump() + ".";
    }
    return text;
  }

  static std::string within(const std::string& section, const std::string& key) {
    return section.empty() ? key : fmt::format("{}.{}", section, key);
  }

  void append_keys(const Json& node, const std::string& below) {
    std::vector<std::pair<std::string, Json>> sections;
    const auto required = node.value("required", Json::array());
    for (const auto& [key, raw] : node.at("properties").items()) {
      const auto value = resolved(raw);
      if (value.contains("properties")) {
        sections.emplace_back(within(below, key), value);
        continue;
      }
      if (value.contains("additionalProperties") && value["additionalProperties"].is_object()) {
        const auto inner = with_keys(resolved(value["additionalProperties"]));
        if (inner.contains("properties")) {
          auto with_description = inner;
          with_description["description"] = value.value("description", "");
          const auto what = key == "tables" ? "TABLE" : key == "columns" ? "COLUMN" : "NAME";
          sections.emplace_back(fmt::format("{}.{}", within(below, key), what), with_description);
          continue;
        }
      }
      text_ += ".TP\n.B " + escaped(key) + "\n" + escaped(value.value("description", "")) +
               escaped(values_of(value));
      const bool needed = std::find(required.begin(), required.end(), Json(key)) != required.end();
      text_ += needed ? " (required)\n" : "\n";
    }
    for (const auto& [name, section] : sections) {
      text_ += ".SS [" + escaped(name) + "]\n" + words_of(section.value("description", ""));
      append_keys(section, name);
    }
  }

  const Json& schema_;
  std::string text_;
};

Json read_schema(const std::filesystem::path& file) {
  auto schema = Json::parse(std::ifstream(file), nullptr, false);
  if (!schema.is_object()) {
    throw Failure(Code::configuration, fmt::format("the schema '{}' cannot be read", file.string()),
                  "name the directory 'schemas' of the sources: --schemas DIR");
  }
  return schema;
}

constexpr std::string_view kWhatToDo = R"(.SH WHAT TO DO
.TP
.B 10, 11
A person looks:
.B abgleich conflicts, abgleich quarantine, abgleich drift.
.TP
.B 12, 30
Nothing: the next call of cron tries again.
.TP
.B 13
Go on when the primary is correct again:
.B abgleich resume.
.TP
.B 14
See why syncing does not work:
.B abgleich status.
.TP
.B 20 to 26
Read the hint: it names the command that decides.
.B abgleich check
tells more.
.TP
.B 31
Make room, then run it again.
.TP
.B 40
Run it again: it finds out whether the last run was applied.
.TP
.B 41
No run writes until
.B abgleich verify
has said what is damaged, and somebody has repaired it.
)";

std::string exit_code_page(const std::string& version, const std::string& exit_codes) {
  auto page = heading("abgleich-exit-codes", 7, version, "Miscellaneous") +
              "how a call of abgleich(1) ends\n.SH DESCRIPTION\nOf several the severest counts. "
              "Codes are only ever added: any that you do not know means failure. A run that was "
              "applied keeps its code even where its report cannot be written.\n.PP\n.EX\n" +
              escaped(exit_codes) + "\n.EE\n";
  page += kWhatToDo;
  return page + see_also({{"abgleich", 1},
                          {"abgleich-check", 1},
                          {"abgleich-conflicts", 1},
                          {"abgleich-drift", 1},
                          {"abgleich-quarantine", 1},
                          {"abgleich-status", 1},
                          {"abgleich-verify", 1}});
}

}  // namespace

std::string manual_page(const CommandShape& program, const std::string& version,
                        const std::string& exit_codes) {
  auto page = heading("abgleich", 1, version, "User Commands") + escaped(program.description) +
              "\n.SH SYNOPSIS\n.B abgleich\n[\\fIOPTION\\fR]... \\fICOMMAND\\fR "
              "[\\fIOPTION\\fR]... [\\fIARGUMENT\\fR]...\n.SH DESCRIPTION\n";
  page += kDescription;
  page += ".SH OPTIONS\nBefore or behind the command:\n";
  append_options(program, page);
  page += ".SH COMMANDS\n";
  for (const auto& command : program.commands) {
    append_command(command, command.name, page);
  }
  append_examples("", page);
  append_exit_codes(exit_codes, page);
  append_files("", page);
  page += kEnvironment;
  std::vector<std::pair<std::string, int>> others;
  for (const auto& command : program.commands) {
    others.emplace_back("abgleich-" + command.name, 1);
  }
  others.insert(others.end(), {{"abgleich.toml", 5},
                               {"contract.toml", 5},
                               {"abgleich-exit-codes", 7},
                               {"abgleich-operator", 7},
                               {"psql", 1},
                               {"less", 1},
                               {"crontab", 5},
                               {"systemd.timer", 5}});
  return page + see_also(others);
}

std::vector<ManualPage> manual_pages(const CommandShape& program, const std::string& version,
                                     const std::string& exit_codes,
                                     const std::filesystem::path& schemas) {
  std::vector<ManualPage> pages{
      {"man1/abgleich.1", manual_page(program, version, exit_codes)},
      {"man7/abgleich-exit-codes.7", exit_code_page(version, exit_codes)}};
  for (const auto& command : program.commands) {
    pages.push_back({fmt::format("man1/abgleich-{}.1", command.name),
                     command_page(command, version, exit_codes)});
  }
  const auto config = read_schema(schemas / "config.schema.json");
  pages.push_back(
      {"man5/abgleich.toml.5",
       FormatPage(config).page(
           "abgleich.toml",
           "the configuration of one pairing of "
           "abgleich(1)",
           version,
           {{"abgleich", 1}, {"abgleich-init", 1}, {"abgleich-check", 1}, {"contract.toml", 5}})});
  const auto contract = read_schema(schemas / "contract.schema.json");
  pages.push_back(
      {"man5/contract.toml.5", FormatPage(contract).page("contract.toml",
                                                         "what abgleich(1) may let out, and "
                                                         "how",
                                                         version,
                                                         {{"abgleich", 1},
                                                          {"abgleich-contract", 1},
                                                          {"abgleich-check", 1},
                                                          {"abgleich.toml", 5}})});
  return pages;
}

}  // namespace abgleich::cmd
