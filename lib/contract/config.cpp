#include "contract/config.hpp"

#include "contract/document.hpp"
#include "contract/endpoint_url.hpp"
#include "contract/include.hpp"
#include "contract/interval.hpp"
#include "contract/limit.hpp"
#include "core/error.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

namespace abgleich::contract {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view kEnvironment = "ABGLEICH_CONFIG";
constexpr std::string_view kCredentials = "CREDENTIALS_DIRECTORY";
constexpr std::string_view kFileName = "abgleich.toml";
constexpr std::string_view kSystemFile = "/etc/abgleich/abgleich.toml";

/// A path relative to the directory of the file that it is written in. An empty path is refused.
fs::path path_of(const Member& member, std::string_view example) {
  return directory_of(member.value.place) / name_of(member, example);
}

const Node& section(const Node& root, std::string_view name, Words known) {
  static const Node kEmpty;
  const Member* member = root.find(name);
  if (member == nullptr) {
    return kEmpty;
  }
  const std::string header = fmt::format("[{}]", name);
  const Node& table = table_of(*member, header);
  expect_only(table, known, header);
  return table;
}

/// The name of a systemd credential: a file name, never a path.
std::string credential_of(const Member& credential, const Node& keys) {
  constexpr std::string_view kExample = "credential = \"abgleich.key\"";
  const std::string& name = name_of(credential, kExample);
  if (name.find('/') != std::string::npos || name == "." || name == "..") {
    refuse(credential.value.place,
           fmt::format("{} is not the name of a credential", in_quotes(name)),
           fmt::format("write {}, as LoadCredential= in the unit names it", kExample));
  }
  if (keys.find("file") != nullptr) {
    refuse(credential.place, "[keys] has both 'file' and 'credential'",
           "delete one of the two: the key comes from one place");
  }
  return name;
}

/// The directory of systemd's credentials. Where systemd has not set it: "$CREDENTIALS_DIRECTORY",
/// for messages.
fs::path credentials_directory() {
  const char* const set = std::getenv(kCredentials.data());
  return set != nullptr && *set != '\0' ? std::string(set) : fmt::format("${}", kCredentials);
}

std::int64_t min_k_of(const Member& member) {
  // With a larger number, every row of any secondary would be held back.
  constexpr std::int64_t kMost = 1'000'000;
  if (member.value.kind != Node::Kind::integer || member.value.integer < 0 ||
      member.value.integer > kMost) {
    refuse(member.value.place, fmt::format("'min_k' must be a whole number from 0 to {}", kMost),
           "write min_k = 5: rows whose quasi-identifiers fewer than 5 people share are held back");
  }
  return member.value.integer;
}

int workers_of(const Member& member) {
  // Each costs a process on the server of the primary, and a thread and a queue here.
  constexpr std::int64_t kMost = 16;
  if (member.value.kind != Node::Kind::integer || member.value.integer < 1 ||
      member.value.integer > kMost) {
    refuse(member.value.place, fmt::format("'workers' must be a whole number from 1 to {}", kMost),
           "write workers = 2: at most two connections read the primary at once");
  }
  return static_cast<int>(member.value.integer);
}

void read_timeouts(const Node& table, Endpoint& endpoint) {
  if (const Member* member = table.find("statement_timeout")) {
    endpoint.statement_timeout = interval_of(*member, "statement_timeout = \"30m\"");
  }
  if (const Member* member = table.find("lock_timeout")) {
    constexpr std::string_view kExample = "lock_timeout = \"10s\"";
    endpoint.lock_timeout = interval_of(*member, kExample);
    if (endpoint.lock_timeout.count() == 0) {
      refuse(member->value.place, "a lock has to be waited for with a limit",
             fmt::format("write a time of at least a second: {}", kExample));
    }
  }
}

/// The name of the bookkeeping. The endpoint already has its schema.
std::string books_of(const Node& table, const Endpoint& endpoint) {
  constexpr std::string_view kExample = "books = \"abgleich_07\"";
  const Member* const found = table.find("books");
  if (found == nullptr) {
    return std::string(kUsualBooks);
  }
  const Member& member = *found;
  const std::string& name = name_of(member, kExample);
  if (!is_books_name(name)) {
    refuse(member.value.place, fmt::format("{} is no name for the bookkeeping", in_quotes(name)),
           fmt::format("write \"{0}\", or \"{0}_\" and at most 30 of a to z, 0 to 9 and _: {1}",
                       kUsualBooks, kExample));
  }
  if (name == endpoint.schema) {
    refuse(member.value.place,
           fmt::format("'{}' is the schema of the data, and the bookkeeping needs one of its own",
                       name),
           fmt::format("write another name: {}", kExample));
  }
  return name;
}

/// Refuses settings that people write into the wrong section, and says where they belong.
void expect_no_misplaced(const Node& table, std::string_view header, Role role) {
  for (const Member& member : table.members) {
    if (member.name == "password") {
      refuse(member.place, fmt::format("a password does not belong into {}", header),
             "put it into a file of its own with mode 0600 and write password_file = \"…\", or use "
             "~/.pgpass");
    }
    if (member.name == "manage_schema" && role == Role::primary) {
      refuse(member.place, "'manage_schema' does not belong into [primary]",
             "delete it: the primary is never written; write it below [secondary]");
    }
    if (member.name == "books" && role == Role::primary) {
      refuse(member.place, "'books' does not belong into [primary]",
             "write it below [secondary]: the bookkeeping is beside the data that is written");
    }
    if (member.name == "inbox" && role == Role::primary) {
      refuse(member.place, "'inbox' does not belong into [primary]",
             "write it below [secondary]: it says that what peers send back is kept there");
    }
    if (member.name == "workers" && role == Role::secondary) {
      refuse(member.place, "'workers' does not belong into [secondary]",
             "write it below [primary]: the secondary is written in one transaction, which is one "
             "connection");
    }
  }
}

Endpoint endpoint_of(const Node& root, Role role, const std::string& file) {
  const std::string_view name = name_of(role);
  const std::string header = fmt::format("[{}]", name);
  std::string example = header;
  for (const auto& one : engines()) {
    example +=
        fmt::format("{}url = \"{}\"", example == header ? " and below it " : " or ", one.url_form);
  }
  const Member* member = root.find(name);
  if (member == nullptr) {
    refuse({.file = file, .line = 1, .column = 1}, fmt::format("{} is missing", header),
           fmt::format("write {}", example));
  }
  const Node& table = table_of(*member, header);
  expect_no_misplaced(table, header, role);
  expect_only(table, role == Role::primary ? Words(kPrimaryKeys) : Words(kSecondaryKeys), header);
  const Member* url = table.find("url");
  if (url == nullptr) {
    refuse(member->place, fmt::format("{} has no url", header), fmt::format("write {}", example));
  }
  auto understood =
      understand_url(role, text_of(*url, "url = \"sqlite:PATH\""), directory_of(url->value.place));
  if (const auto* problem = std::get_if<UrlProblem>(&understood)) {
    refuse(url->value.place, problem->message, problem->hint);
  }
  auto endpoint = std::get<Endpoint>(std::move(understood));

  const Member* password_file = table.find("password_file");
  const auto& engine = traits(endpoint.engine);
  if (password_file != nullptr && engine.is_file) {
    refuse(password_file->place,
           fmt::format("'password_file' does not fit a {} database", engine.title),
           "delete 'password_file'");
  }
  if (password_file != nullptr) {
    endpoint.password_file = path_of(*password_file, "password_file = \"PATH\"");
  }
  // Not every engine has schemas. The setting is allowed all the same, so that whoever tries a
  // pairing on SQLite first has to change one other line only.
  const Member* schema = table.find("schema");
  if (schema != nullptr && engine.schema.empty()) {
    (void)name_of(*schema, "schema = \"public\"");
  } else if (schema != nullptr) {
    endpoint.schema = name_of(*schema, "schema = \"public\"");
    if (role == Role::secondary && same_name(endpoint.schema, "abgleich")) {
      refuse(schema->value.place, "schema 'abgleich' of the secondary is for the bookkeeping",
             "write another schema, for example schema = \"public\"");
    }
  }
  endpoint.books = books_of(table, endpoint);
  if (const Member* manage_schema = table.find("manage_schema")) {
    endpoint.manage_schema = boolean_of(*manage_schema, "manage_schema = true");
  }
  if (const Member* workers = table.find("workers")) {
    endpoint.workers = workers_of(*workers);
  }
  read_timeouts(table, endpoint);
  return endpoint;
}

bool same_database(const Endpoint& a, const Endpoint& b) {
  if (a.engine != b.engine) {
    return false;
  }
  if (!traits(a.engine).is_file) {
    return a.url == b.url && a.schema == b.schema;
  }
  std::error_code error;
  if (fs::equivalent(a.file, b.file, error)) {
    return true;
  }
  const fs::path first = fs::weakly_canonical(a.file, error);
  if (error) {
    return a.file == b.file;
  }
  const fs::path second = fs::weakly_canonical(b.file, error);
  return error ? a.file == b.file : first == second;
}

/// Reads `inbox`. What peers send back names the primary's own values, and nothing that is masked
/// may come to those who see them.
void take_inbox(const Node& root, Config& config) {
  const Member* inbox = root.find("secondary")->value.find("inbox");
  config.inbox = inbox != nullptr && boolean_of(*inbox, "inbox = true");
  if (config.inbox && config.pairs) {
    refuse(inbox->place, "the secondary is an 'inbox', and a contract exports the primary into it",
           "delete 'contract' at the top: an inbox only takes what peers send back; or delete "
           "'inbox'");
  }
}

/// Of a pairing. Beside peers only, what is sent and what is accepted may be in one database.
void expect_two_databases(const Node& root, const Config& config) {
  if (same_database(config.primary, config.secondary)) {
    refuse(root.find("secondary")->value.find("url")->value.place,
           "the primary and the secondary are the same database",
           "write the URL of another one: the primary is never written");
  }
}

fs::path named_config(const fs::path& file, std::string_view by) {
  std::error_code error;
  if (!fs::exists(file, error)) {
    throw Failure(Code::configuration,
                  fmt::format("no configuration {}, which {} names", in_quotes(file.string()), by),
                  "look at the path, or run 'abgleich init' to make one");
  }
  return file;
}

/// Each once, in the order of the sections.
std::vector<fs::path> sent_contracts(const Exchange& exchange) {
  std::vector<fs::path> sent;
  for (const auto& peer : exchange.peers) {
    if (peer.sends && std::ranges::find(sent, *peer.sends) == sent.end()) {
      sent.push_back(*peer.sends);
    }
  }
  return sent;
}

/// How much a run may change.
void take_limits(const Node& root, Config& config) {
  constexpr double kMostDeleted = 0.05;
  constexpr double kMostUpdated = 0.5;
  const Node& limits = section(root, "limits", kLimitsKeys);
  const Member* deleted = limits.find("max_deleted");
  const Member* updated = limits.find("max_updated");
  config.max_deleted = deleted != nullptr ? limit_of(*deleted) : Limit{.share = kMostDeleted};
  config.max_updated = updated != nullptr ? limit_of(*updated) : Limit{.share = kMostUpdated};
}

}  // namespace

Config parse_config(std::string_view text, const fs::path& file) {
  const std::string name = file.string();
  const Node root = with_included(read_toml(text, name), file);
  expect_only(root, kConfigKeys, "the configuration");

  Config config;
  config.file = fs::absolute(file);
  const fs::path directory = config.file.parent_path();
  const auto path = [&directory](const Node& table, std::string_view key,
                                 std::string_view standard) {
    const Member* member = table.find(key);
    return member == nullptr ? directory / standard
                             : path_of(*member, fmt::format("{} = \"{}\"", key, standard));
  };
  config.contract = path(root, "contract", "contract.toml");
  config.catalog = path(root, "catalog", "catalog.json");
  if (const Member* retry_for = root.find("retry_for")) {
    config.retry_for = interval_of(*retry_for, "retry_for = \"30s\"");
  }
  config.primary = endpoint_of(root, Role::primary, name);
  if (const Member* every = root.find("primary")->value.find("full_every")) {
    config.full_every = interval_of(*every, "full_every = \"24h\"");
  }
  if (const Member* anew = root.find("primary")->value.find("made_anew")) {
    config.made_anew = boolean_of(*anew, "made_anew = true");
    if (!traits(config.primary.engine).is_file) {
      refuse(anew->place, "'made_anew' does not fit a server",
             "delete it: it is for a SQLite file");
    }
  }
  config.secondary = endpoint_of(root, Role::secondary, name);
  const Node& keys = section(root, "keys", kKeysKeys);
  config.key_file = path(keys, "file", "abgleich.key");
  if (const Member* credential = keys.find("credential")) {
    config.key_credential = credential_of(*credential, keys);
    config.key_file = credentials_directory() / config.key_credential;
  }
  config.state_directory = path(section(root, "state", kStateKeys), "directory", "state");
  take_limits(root, config);
  const Node& journal = section(root, "journal", kJournalKeys);
  if (const Member* keep = journal.find("keep")) {
    config.keep = retention_of(*keep);
  }
  if (const Member* min_k = section(root, "privacy", kPrivacyKeys).find("min_k")) {
    config.min_k = min_k_of(*min_k);
  }
  config.alert = alert_of(section(root, "alert", kAlertKeys));
  const Node& exchange = section(root, "exchange", kExchangeKeys);
  config.identity = path(exchange, "identity", "node.key");
  config.cards = path(exchange, "cards", "cards");
  config.exchange = exchange_of(exchange, root.find("peers"));
  config.also_read = sent_contracts(config.exchange);
  config.pairs = config.exchange.peers.empty() || root.find("contract") != nullptr;
  if (config.pairs) {
    expect_two_databases(root, config);
  }
  take_inbox(root, config);
  return config;
}

Config read_config(const fs::path& file) {
  return parse_config(read_text(file), file);
}

fs::path find_config(const std::optional<fs::path>& option) {
  if (option) {
    return named_config(*option, "--config");
  }
  if (const char* named = std::getenv(kEnvironment.data()); named != nullptr && *named != '\0') {
    return named_config(named, fmt::format("${}", kEnvironment));
  }
  std::error_code error;
  for (const std::string_view file : {kFileName, kSystemFile}) {
    if (fs::exists(file, error)) {
      return file;
    }
  }
  throw Failure(Code::configuration,
                fmt::format("no configuration: looked at ./{} and {}", kFileName, kSystemFile),
                fmt::format("name one with --config FILE or ${}, or run 'abgleich init' to make "
                            "one",
                            kEnvironment));
}

}  // namespace abgleich::contract
