#include "manual_page.hpp"

#include <CLI/CLI.hpp>

#include <string_view>

namespace abgleich::cmd {

namespace {

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

constexpr std::string_view kEnd = R"(.SH FILES
.TP
.I abgleich.toml
one pairing: \-\-config, else $ABGLEICH_CONFIG, else the working directory, else /etc/abgleich
.TP
.I contract.toml
what may leave the primary, and how; reviewed by people, kept in git
.TP
.I catalog.json
the accepted schema of the primary, written by
.B abgleich drift accept
.TP
.I abgleich.key
what pseudonyms are made with; mode 0600; keep a copy in a safe
.SH ENVIRONMENT
.TP
.B PGPASSFILE, PGPASSWORD, …
as for any program that uses libpq
.TP
.B NO_COLOR
no colour, as with \-\-color never
.SH MEMORY
Rows are streamed, and what has to be remembered of them goes to temporary tables and files of the
databases: a first sync of a million rows stays below 64 MiB. Temporary files hold rows in the
secondary's terms only.
.SH SEE ALSO
.BR psql (1),
.BR sqlite3 (1),
.BR crontab (5),
.BR systemd.timer (5)
)";

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

std::string names_of(const CLI::Option& option) {
  auto text = option.get_positional() ? option.get_name(true) : option.get_name(false, true);
  for (auto at = text.find(','); at != std::string::npos; at = text.find(',', at + 2)) {
    text.replace(at, 1, ", ");
  }
  const auto type = option.get_type_name();
  return "\\fB" + escaped(text) + "\\fR" + (type.empty() ? "" : " \\fI" + escaped(type) + "\\fR");
}

void append_options(const CLI::App& app, std::string& page) {
  for (const auto* option : app.get_options({})) {
    page += ".TP\n" + names_of(*option) + "\n" + escaped(option->get_description());
    if (!option->get_envname().empty()) {
      page += " (\\fB" + escaped(option->get_envname()) + "\\fR)";
    }
    page += option->get_required() ? " (required)\n" : "\n";
  }
}

void append_command(const CLI::App& app, const std::string& called, std::string& page) {
  page += ".SS " + escaped(called) + "\n" + escaped(app.get_description()) + "\n";
  append_options(app, page);
  for (const auto* inner : app.get_subcommands({})) {
    append_command(*inner, called + " " + inner->get_name(), page);
  }
}

}  // namespace

std::string manual_page(const CLI::App& app, const std::string& version,
                        const std::string& exit_codes) {
  std::string page = ".TH ABGLEICH 1 \"\" \"" + version +
                     "\" \"User Commands\"\n.SH NAME\nabgleich \\- " +
                     escaped(app.get_description()) +
                     "\n.SH SYNOPSIS\n.B abgleich\n[\\fIOPTION\\fR]... \\fICOMMAND\\fR "
                     "[\\fIOPTION\\fR]... [\\fIARGUMENT\\fR]...\n.SH DESCRIPTION\n";
  page += kDescription;
  page += ".SH OPTIONS\nBefore or behind the command:\n";
  append_options(app, page);
  page += ".SH COMMANDS\n";
  for (const auto* command : app.get_subcommands({})) {
    if (!command->get_group().empty()) {
      append_command(*command, command->get_name(), page);
    }
  }
  page += ".SH EXIT STATUS\n.nf\n" + escaped(exit_codes) + "\n.fi\n";
  return page += kEnd;
}

}  // namespace abgleich::cmd
