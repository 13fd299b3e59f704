#include "contract/config.hpp"
#include "contract/contract.hpp"
#include "contract/edit.hpp"
#include "contract/endpoint_url.hpp"
#include "contract/parse_condition.hpp"
#include "core/error.hpp"
#include "core/value.hpp"
#include "db/bookkeeping/books.hpp"
#include "db/postgresql/password_file.hpp"
#include "drift/catalog_file.hpp"
#include "fuzz/parser.hpp"
#include "journal/decisions.hpp"
#include "journal/record.hpp"
#include "mask/key_text.hpp"
#include "state/anchor.hpp"
#include "state/latch.hpp"
#include "support/temporary_directory.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <initializer_list>
#include <sys/stat.h>

namespace abgleich::fuzz {

namespace {

constexpr const char* kContract = R"toml(format = 1

[tables.person]
key       = ["id"]
target    = "persons"
on_delete = "erase"
together  = [["status", "status_date"]]
max_deleted = 3
max_updated = "12.5%"
was = "people"
quasi_identifiers = ["plz", "sex"]
sensitive = ["status"]
where = "sex = '08' AND NOT plz IS NULL OR status IN ('a', 'b')"

[tables.person.columns]
id         = { class = "pseudonym", identity = "person", format = "uuid" }
phone      = { class = "pseudonym", identity = "phone", normalise = "phone" }
birth_date = { class = "generalise", to = "year" }
age        = { class = "generalise", to = "age-band:10", reference = "2024-02-29" }
plz        = { class = "generalise", to = "prefix:2", as = "region" }
sex        = { class = "plain", codes = ["F", "M"], was = "gender" }
note       = { class = "plain", owner = "secondary" }
size       = { class = "generalise", to = "round:5" }
seen       = { class = "generalise", to = "shift:14" }
kind       = { class = "generalise", to = "map", map = { A = "a", "ü" = "" }, otherwise = "x" }
hidden     = { class = "generalise", to = "const", value = "y" }
fax        = { class = "pseudonym", identity = "phone", normalise = "phone", country = "AT" }
grade      = { class = "pseudonym", identity = "grade", accept_low_entropy = "counted only" }
status     = "plain"
status_date = "plain"
"first name" = "withhold"

[tables."Zürich.fälle"]
key = ["a", "b"]
columns = { a = "plain", b.class = "plain", c.class = "withhold" }
)toml";

constexpr const char* kConfig = R"(contract = "contract.toml"
catalog  = "catalog.json"

[primary]
url = "postgresql://reader@db1/kpm?sslmode=verify-full"
password_file = "pass"
schema = "public"

[secondary]
url = "sqlite:second.db"
manage_schema = true

[keys]
file = "abgleich.key"

[state]
directory = "state"

[journal]
keep = "90d"

[limits]
max_deleted = "5%"
max_updated = 50

[privacy]
min_k = 5

[alert]
max_age = "30m"
metrics = "abgleich.prom"
ping = "https://hc-ping.com/a1b2"

[exchange]
mailbox = "/srv/iris"
resend_after = "1h"
heartbeat = "24h"
overdue = "48h"

[peers."ga-*"]
sends = "guests.toml"
accepts = "requests.toml"

[peers.ga-north]
sends = "guests.toml"
mailbox = "north"
)";

/// Runs `parse`: it understands, or refuses with one of these codes, one line of message and one of
/// hint.
template <class Parse>
Outcome refused_at_worst(std::initializer_list<Code> codes, const Parse& parse,
                         std::string_view place = {}) {
  try {
    parse();
    return Outcome::understood;
  } catch (const Failure& failure) {
    const Error& error = failure.error();
    promise(std::ranges::find(codes, error.code) != codes.end(), "refused with another code");
    promise(!error.message.empty() && error.message.find('\n') == std::string::npos,
            "the message is no line");
    promise(!error.hint.empty() && error.hint.find('\n') == std::string::npos,
            "the hint is no line");
    promise(error.message.starts_with(place), "the message does not start with the place");
    promise(place.empty() || error.message.find_first_of("123456789") == place.size(),
            "the place has no line");
    return Outcome::refused;
  }
}

Outcome take_contract(std::string_view bytes) {
  return refused_at_worst(
      {Code::configuration},
      [&] { static_cast<void>(contract::parse_contract(bytes, "contract.toml")); },
      "contract.toml:");
}

/// What is understood is written the same way again and again, and is no more than it says: outside
/// of its quotes there is nothing that begins a comment, ends a statement or calls a function.
Outcome take_condition(std::string_view bytes) {
  constexpr std::size_t kAnyDepth = 20;  // a condition may take more brackets than it came with
  const contract::Place place{.file = "contract.toml", .line = 1, .column = 1};
  return refused_at_worst(
      {Code::configuration},
      [&] {
        const auto condition = contract::parse_condition(bytes, "person", place);
        const auto text = text_of(condition);
        char quote = 0;
        std::size_t brackets = 0;
        std::string bare;
        for (const char c : text) {
          quote = quote == 0 && (c == '\'' || c == '"') ? c : quote == c ? char{0} : quote;
          bare += quote == 0 ? c : '_';
          brackets += quote == 0 && c == '(' ? 1U : 0U;
        }
        promise(quote == 0, "a quote is left open");
        for (const auto* part : {";", "--", "/*", "_("}) {
          promise(bare.find(part) == std::string::npos, "a condition says more than it may");
        }
        promise(
            brackets > kAnyDepth || contract::parse_condition(text, "person", place) == condition,
            "a condition is not read as it was written");
      },
      "contract.toml:");
}

Outcome take_config(std::string_view bytes) {
  return refused_at_worst(
      {Code::configuration},
      [&] { static_cast<void>(contract::parse_config(bytes, "abgleich.toml")); }, "abgleich.toml:");
}

/// A contract with a column more is the same contract, with a column more.
Outcome take_edit(std::string_view bytes) {
  const contract::NewColumn column{.table = "person", .column = "pass \"port\"", .cls = "withhold"};
  std::string edited;
  const auto outcome = refused_at_worst({Code::configuration, Code::usage}, [&] {
    edited = contract::add_column(bytes, "contract.toml", column);
  });
  if (outcome == Outcome::understood) {
    const auto before = contract::parse_contract(bytes, "c");
    const auto after = contract::parse_contract(edited, "c");
    const auto columns = [](const contract::Contract& contract) {
      return contract.find_table("person")->columns.size();
    };
    promise(after.tables.size() == before.tables.size() && columns(after) == columns(before) + 1,
            "adding a column changed something else");
    promise(edited.size() > bytes.size(), "adding a column took something away");
  }
  return outcome;
}

/// No error repeats a password, wherever in the URL it stands.
Outcome take_url(std::string_view bytes) {
  const auto said =
      contract::understand_url(Role::primary, bytes, std::filesystem::path("/somewhere"));
  const auto* problem = std::get_if<contract::UrlProblem>(&said);
  if (problem == nullptr) {
    return Outcome::understood;
  }
  promise(problem->message.find("s3cr3t") == std::string::npos &&
              problem->hint.find("s3cr3t") == std::string::npos,
          "a password is repeated");
  promise(!problem->message.empty() && problem->message.find('\n') == std::string::npos,
          "the message is no line");
  return Outcome::refused;
}

/// What is understood is written the same way again and again.
Outcome take_catalog(std::string_view bytes) {
  return refused_at_worst({Code::configuration}, [&] {
    const auto catalog = drift::catalog_from_json(bytes, "catalog.json");
    const auto text = drift::catalog_to_json(catalog);
    promise(drift::catalog_from_json(text, "catalog.json") == catalog,
            "a catalogue is not read as it was written");
  });
}

Outcome take_key_file(std::string_view bytes) {
  return refused_at_worst({Code::key_or_trust}, [&] {
    const auto roots = mask::parse_key_text(bytes, "abgleich.key");
    const auto text = mask::key_text(roots.bytes());
    const auto written = text.bytes();
    promise(
        std::string_view(reinterpret_cast<const char*>(written.data()), written.size()) == bytes,
        "two key files hold the same keys");
  });
}

class OneFile {
 public:
  explicit OneFile(const char* name) : path_(directory_ / name) {}
  const std::filesystem::path& with(std::string_view bytes) const {
    std::ofstream(path_, std::ios::binary) << bytes;
    ::chmod(path_.c_str(), 0600);
    return path_;
  }
  [[nodiscard]] const std::filesystem::path& directory() const { return directory_.path(); }

 private:
  test::TemporaryDirectory directory_;
  std::filesystem::path path_;
};

Outcome take_password_file(std::string_view bytes) {
  static const OneFile file("password");
  return refused_at_worst({Code::key_or_trust}, [&] {
    db::postgresql::PasswordFile password;
    db::postgresql::read_password_file(file.with(bytes), Role::primary, password);
    promise(password.form == db::postgresql::PasswordForm::pgpass || !password.password.empty(),
            "an empty password was taken");
    promise(password.password.find_first_of(std::string_view("\n\0", 2)) == std::string::npos,
            "the password goes on behind its line");
  });
}

/// A damaged witness is never taken for a good or a missing one.
Outcome take_anchor(std::string_view bytes) {
  static const OneFile file("anchor.json");
  return refused_at_worst({Code::integrity, Code::configuration}, [&] {
    file.with(bytes);
    const auto anchor = state::read_anchor(file.directory());
    promise(anchor.has_value(), "a file was taken for none");
    state::write_anchor(file.directory(), *anchor);
    promise(state::read_anchor(file.directory()) == anchor,
            "an anchor is not read as it was written");
  });
}

/// Whatever is in it, a latch is set.
Outcome take_latch(std::string_view bytes) {
  static const OneFile file("damaged");
  file.with(bytes);
  promise(refused_at_worst({Code::integrity}, [&] { state::check_latch(file.directory()); }) ==
              Outcome::refused,
          "a latch was passed");
  return Outcome::understood;
}

Outcome take_stored_value(std::string_view bytes) {
  try {
    promise(to_text(value_from_text(bytes)) == bytes, "two texts stand for one value");
    return Outcome::understood;
  } catch (const Failure& failure) {
    promise(failure.error().code == Code::integrity, "refused with another code");
    return Outcome::refused;
  }
}

Outcome take_cells(std::string_view bytes) {
  try {
    static_cast<void>(journal::read_cells(bytes));
    return Outcome::understood;
  } catch (const Failure& failure) {
    promise(failure.error().code == Code::integrity, "refused with another code");
    return Outcome::refused;
  }
}

Outcome take_conflict(std::string_view bytes) {
  try {
    const auto conflict = journal::from_row({.id = "0123456789ab",
                                             .tracked = 1,
                                             .key_text = "{}",
                                             .kind = "constraint",
                                             .detail = std::string(bytes)});
    const auto row = journal::to_row(conflict, {1, 2});
    promise(journal::to_row(journal::from_row(row), {1, 2}).detail == row.detail,
            "a conflict is not read as it was written");
    return Outcome::understood;
  } catch (const Failure& failure) {
    promise(failure.error().code == Code::integrity, "refused with another code");
    return Outcome::refused;
  }
}

std::string text_of(const journal::Decisions& decisions) {
  auto text = fmt::format("{}\n{} {}\n", journal::kDecisionsFormat, journal::kPairingField,
                          decisions.pairing);
  for (const auto& decision : decisions.all) {
    text += fmt::format("{} {}\n", decision.id, name_of(decision.side));
  }
  return text;
}

/// What is understood is read the same way after it was written, but for the places of its lines.
Outcome take_decisions(std::string_view bytes) {
  return refused_at_worst({Code::usage}, [&] {
    auto decisions = journal::parse_decisions(bytes, "d");
    const auto text = text_of(decisions);
    auto again = journal::parse_decisions(text, "d");
    for (auto* all : {&decisions.all, &again.all}) {
      for (auto& decision : *all) {
        decision.line = 0;
      }
    }
    promise(again == decisions, "decisions are not read as they were written");
  });
}

std::string key_seed() {
  std::vector<std::uint8_t> roots(2 * mask::kEpochSize, 0x5a);
  const auto text = mask::key_text(roots);
  const auto bytes = text.bytes();
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string catalog_seed() {
  Catalog catalog{.identity = {.system = "7", .database = "5", .version = "15.1"},
                  .schema = "public"};
  CatalogTable table{.name = "person", .identity = 16384};
  table.columns.push_back({.name = "id",
                           .identity = 1,
                           .type = {.family = Family::integer, .native = "bigint", .bits = 64},
                           .nullable = false});
  table.columns.push_back({.name = "größe", .identity = 2, .type = text_type()});
  table.primary_key = CatalogKey{.name = "person_pkey", .columns = {"id"}};
  table.foreign_keys.push_back(
      {.name = "f", .columns = {"größe"}, .table = "person", .referenced = {"id"}});
  catalog.tables.push_back(table);
  return drift::catalog_to_json(catalog);
}

}  // namespace

std::vector<Parser> file_parsers() {
  return {
      {"contract", {kContract}, take_contract},
      {"condition",
       {"district = '08435'", "a IN ('x', 'it''s') OR NOT (\"my b\" <= -1.5 AND c IS NOT NULL)",
        "on_day NOT BETWEEN '2020-01-01' AND '2020-12-31' AND name LIKE '08\\%_%' AND d = TRUE"},
       take_condition},
      {"config", {kConfig}, take_config},
      {"contract-add", {kContract}, take_edit},
      {"url",
       {"postgresql://reader@db1:5432/kpm?sslmode=verify-full&application_name=x",
        "postgresql:///db?host=%2Frun%2Fpg&user=a", "sqlite:some/file.db"},
       take_url},
      {"catalog", {catalog_seed()}, take_catalog},
      {"key-file", {key_seed()}, take_key_file},
      {"password-file",
       {"db1:5432:kpm:reader:a\\:b\n# comment\n*:*:*:*:x\n", "alone\n"},
       take_password_file},
      {"anchor",
       {R"({"format":"abgleich.anchor/1","lineage":"a1","epoch":12,"hash":"00ff"})"},
       take_anchor},
      {"latch",
       {R"({"format":"abgleich.damaged/1","found":"2026-01-01","damage":[{"table":"t","what":"w"}]})"},
       take_latch},
      {"decisions",
       {"abgleich.decisions/1\npairing 0123456789abcdef\n8a33ecfccb6f primary\n95f1f2863eb5 open\n",
        "\xEF\xBB\xBF"
        "abgleich.decisions/1\r\npairing 0123456789abcdef\r\n95f1f2863eb5 secondary\r\n",
        "file:///tmp/d.html?format=abgleich.decisions%2F1&pairing=0123456789abcdef&"
        "8a33ecfccb6f=primary&95f1f2863eb5=open"},
       take_decisions},
      {"stored-value",
       {"text:p1_abc", "bytes:00ff10", "null:", "integer:-12", "text*:ff61"},
       take_stored_value},
      {"stored-cells", {R"({"id":"text:p1_abc","größe":"null:","b":"bytes:00"})"}, take_cells},
      {"stored-conflict",
       {R"({"action":"update","columns":{"a":{"primary":"integer:1","secondary":null,"digest":"00000000000000ff"}},"unwritten":{"b":"0000000000000001"}})"},
       take_conflict},
  };
}

}  // namespace abgleich::fuzz
