#include "command.hpp"

#include "contract/config.hpp"
#include "contract/words.hpp"
#include "core/visible_text.hpp"
#include "journald.hpp"
#include "pager.hpp"
#include "report/json.hpp"
#include "report/peer_commands.hpp"
#include "sync/peers/peer_pairing.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <unistd.h>
#include <vector>

namespace abgleich::cmd {

namespace {

[[noreturn]] void output_failed() {
  if (errno == EPIPE) {
    throw ReaderGone();
  }
  throw Failure(Code::out_of_space,
                std::string("cannot write to standard output: ") + std::strerror(errno),
                "look at where the output goes, such as a full disk");
}

/// Written in one piece, because several threads call this.
void tell_statement(const TracedStatement& statement) {
  complain(fmt::format("sql: {}: {}: {:.1f} ms, {} {}\n", name_of(statement.role), statement.text,
                       static_cast<double>(statement.took.count()) / 1000, statement.rows,
                       statement.rows == 1 ? "row" : "rows"));
}

}  // namespace

Loudness Context::loudness() const {
  if (quiet) {
    return Loudness::problems;
  }
  return verbose > 0 ? Loudness::more : Loudness::normal;
}

report::Colour Context::colour_of(int stream) const {
  if (colour == "always") {
    return report::Colour::on;
  }
  const char* no_colour = std::getenv("NO_COLOR");
  const bool wanted =
      colour == "auto" && (no_colour == nullptr || *no_colour == '\0') && isatty(stream) == 1;
  return wanted ? report::Colour::on : report::Colour::off;
}

std::function<Context::OnStderr(const Error&)> failed_line(const Context& context,
                                                           std::string_view schema,
                                                           report::Run kind) {
  return [&context, schema = std::string(schema), kind](const Error& error) {
    if (context.json) {
      print(report::json_line(report::failed_outcome(error, kind), schema) + "\n");
    }
    return Context::OnStderr::told;
  };
}

std::filesystem::path Context::config_file() const {
  if (profile && config) {
    throw Failure(Code::usage, "both --config and --profile name a pairing",
                  "leave one of the two out; $ABGLEICH_CONFIG and $ABGLEICH_PROFILE count as well");
  }
  return profile ? contract::find_profile(profiles, *profile) : contract::find_config(config);
}

sync::Pairing Context::pairing(contract::Trust trust) const {
  if (peer) {
    const auto way = sync::peer_way_from(*peer);
    const auto node = sync::load_config(config_file(), trust);
    return sync::load_peer_pairing(node, sync::known_peer(node, way.peer), way.way, on_statement());
  }
  return sync::load_pairing(config_file(), trust, on_statement());
}

std::string Context::named(const std::string& text) const {
  return peer ? report::for_peer(text, *peer) : text;
}

OnStatement Context::on_statement() const {
  return verbose > 1 ? OnStatement(tell_statement) : OnStatement();
}

void expect_table(const sync::Pairing& pairing, const std::string& table) {
  if (pairing.contract.find_table(table) != nullptr) {
    return;
  }
  std::vector<std::string_view> names;
  for (const auto& known : pairing.contract.tables) {
    names.push_back(known.name);
  }
  const auto near = contract::nearest(table, names);
  throw Failure(Code::usage,
                fmt::format("the contract has no table {}", contract::in_quotes(table)),
                (near ? fmt::format("did you mean '{}'? ", *near) : std::string()) +
                    "see the tables in " + pairing.config.contract.string());
}

void page(const Context& context) {
  const bool wanted = !context.no_pager && !context.json && !context.on_statement() &&
                      context.loudness() != Loudness::problems && isatty(STDOUT_FILENO) == 1;
  set_paging(wanted ? Paging::on : Paging::off);
}

void print(std::string_view text) {
  const auto shown = visible(text, Lines::several);
  if (keep_for_pager(shown)) {
    return;
  }
  if (std::fwrite(shown.data(), 1, shown.size(), stdout) != shown.size()) {
    output_failed();
  }
}

void print_json(const nlohmann::ordered_json& json) {
  print(json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
}

void finish_output() {
  finish_pager();
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
    output_failed();
  }
}

void complain(std::string_view text) {
  static const bool to_journal = stderr_is_journal();
  const auto lines = visible(text, Lines::several);
  const auto shown = to_journal ? with_levels(lines) : lines;
  if (keep_until_read(shown)) {
    return;
  }
  std::fflush(stdout);
  std::fwrite(shown.data(), 1, shown.size(), stderr);
}

void redraw(std::string_view line) {
  const auto shown = "\r\033[K" + visible(line);
  std::fflush(stdout);
  std::fwrite(shown.data(), 1, shown.size(), stderr);
}

}  // namespace abgleich::cmd
