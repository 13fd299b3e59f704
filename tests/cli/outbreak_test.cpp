// The synthetic outbreak of ../shared/data/outbreak, on every pairing: it arrives, merges, and
// nothing that the contract withholds is in any byte that abgleich wrote. Skips, saying so, where
// the data is not there: it is not part of the project.
#include "support/pairing.hpp"
#include "support/places.hpp"

#include <doctest/doctest.h>

#include <set>
#include <string_view>
#include <unordered_set>

namespace abgleich::test {

namespace {

using Json = nlohmann::json;

std::filesystem::path data_directory() {
  const char* given = std::getenv("ABGLEICH_SHARED_DATA");
  return (given != nullptr ? std::filesystem::path(given)
                           : std::filesystem::path(kSourceTree) / "../shared/data") /
         "outbreak";
}

/// One line of CSV; "NA" without quotes is no value.
std::vector<std::optional<std::string>> fields_of(const std::string& line) {
  std::vector<std::optional<std::string>> fields;
  std::string field;
  bool quoted = false;
  bool inside = false;
  for (const char c : line + ",") {
    if (c == '"') {
      inside = !inside;
      quoted = true;
    } else if (c == ',' && !inside) {
      fields.push_back(!quoted && field == "NA" ? std::nullopt : std::optional(field));
      field.clear();
      quoted = false;
    } else if (c != '\r') {
      field += c;
    }
  }
  return fields;
}

/// What must be found nowhere: names made unmistakable by a mark, places as they are.
constexpr std::string_view kMark = "#Qx7";
const std::set<std::string> kMarked{"first_name", "family_name", "address", "country_of_residence"};
const std::set<std::string> kPlaces{"longitude", "latitude"};
constexpr std::size_t kBeginning = 9;  // 52.296617: a tenth of a metre

struct Outbreak {
  std::set<std::string> secrets;

  void load(Database& primary, const std::string& file, const std::string& table,
            const std::string& constraints) {
    std::ifstream in(data_directory() / file);
    std::string line;
    std::getline(in, line);
    const auto names = fields_of(line);
    std::string columns;
    for (const auto& name : names) {
      const bool number = name->starts_with("id") || *name == "infected_by" || *name == "age";
      columns += "\"" + *name + "\" " +
                 (*name == "id" ? "integer PRIMARY KEY"
                  : number      ? "integer"
                                : "text") +
                 ", ";
    }
    primary.run("CREATE TABLE " + table + " (" + columns + constraints + ")");
    std::string rows;
    const auto flush = [&] {
      if (!rows.empty()) {
        primary.run("INSERT INTO " + table + " VALUES " + rows);
        rows.clear();
      }
    };
    while (std::getline(in, line)) {
      const auto fields = fields_of(line);
      rows += rows.empty() ? "(" : ", (";
      for (std::size_t i = 0; i < fields.size(); ++i) {
        auto value = fields[i];
        if (value && kMarked.contains(*names[i])) {
          value = *value + std::string(kMark);
        } else if (value && kPlaces.contains(*names[i]) && value->size() > kBeginning) {
          secrets.insert(*value);
        }
        std::string text;
        for (const char c : value.value_or("")) {
          text += c == '\'' ? "''" : std::string(1, c);
        }
        rows += (i == 0 ? "" : ", ") + (value ? "'" + text + "'" : "NULL");
      }
      rows += ")";
      if (rows.size() > 200'000) {
        flush();
      }
    }
    flush();
  }
};

const char* const kContract = R"(
[tables.person]
key = ["id"]
[tables.person.columns]
id = { class = "pseudonym", identity = "person" }
infected_by = { class = "pseudonym", identity = "person" }
sex = "plain"
age_group = "plain"
age = "withhold"
reporting_date = "plain"
reporting_week = "plain"
onset_date = { class = "generalise", to = "month" }
infection_date = { class = "generalise", to = "week" }
is_case = "plain"
case_def_id = "plain"
case_def = "plain"
has_symptoms = "plain"
hospitalized = "plain"
died = "plain"
generation = "plain"
degree = "plain"
has_contact = "plain"
contact_contacted = "plain"
contact_quarantine = "plain"
contact_tested = "plain"
was_in_event = "plain"
local_health_authority = "plain"
country_of_residence = "withhold"
first_name = @NAMES@
family_name = "withhold"
address = "withhold"
longitude = "withhold"
latitude = "withhold"

[tables.contact]
key = ["id"]
[tables.contact.columns]
id = { class = "pseudonym", identity = "contact" }
id_index = { class = "pseudonym", identity = "person" }
id_contact = { class = "pseudonym", identity = "person" }
is_infection = "plain"

[tables.symptom]
key = ["id"]
[tables.symptom.columns]
id = { class = "pseudonym", identity = "symptom" }
id_person = { class = "pseudonym", identity = "person" }
symptom = "plain"

[tables.event]
key = ["id"]
[tables.event.columns]
id = { class = "pseudonym", identity = "event" }
date = { class = "generalise", to = "month" }
address = "withhold"
longitude = "withhold"
latitude = "withhold"

[tables.participant]
key = ["id"]
[tables.participant.columns]
id = { class = "pseudonym", identity = "participant" }
id_event = { class = "pseudonym", identity = "event" }
id_participant = { class = "pseudonym", identity = "person" }
)";

std::string contract(const std::string& names) {
  std::string text = kContract;
  return text.replace(text.find("@NAMES@"), 7, names);
}

Outbreak load_all(Database& primary) {
  Outbreak outbreak;
  outbreak.load(primary, "persons_df.csv", "person", "CHECK (id > 0)");
  outbreak.load(primary, "events_df.csv", "event", "CHECK (id > 0)");
  outbreak.load(
      primary, "contacts_df.csv", "contact",
      "FOREIGN KEY (id_index) REFERENCES person (id), FOREIGN KEY (id_contact) REFERENCES "
      "person (id)");
  outbreak.load(primary, "symptoms_cases_df.csv", "symptom",
                "FOREIGN KEY (id_person) REFERENCES person (id)");
  outbreak.load(primary, "event_participants_df.csv", "participant",
                "FOREIGN KEY (id_event) REFERENCES event (id), FOREIGN KEY (id_participant) "
                "REFERENCES person (id)");
  return outbreak;
}

const std::vector<std::string> kTables{"person", "contact", "symptom", "event", "participant"};

/// Every byte of the secondary and of the state directory.
std::string secondary_bytes(Pairing& pairing) {
  std::string bytes;
  if (pairing.secondary.engine() == On::sqlite) {
    bytes = read_file(pairing.directory.path() / "secondary.db");
  } else {
    for (const auto& table : kTables) {
      bytes += pairing.secondary.rows("SELECT t::text FROM " + table + " t");
    }
    for (const auto* table : {"head", "run", "tracked", "journal", "conflict", "quarantine",
                              "base_1", "base_2", "base_3", "base_4", "base_5"}) {
      bytes += pairing.secondary.rows(std::string("SELECT t::text FROM abgleich.") + table + " t");
    }
  }
  return bytes;
}

std::string everything(Pairing& pairing, const std::set<std::string>& but = {}) {
  auto bytes = secondary_bytes(pairing);
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(pairing.directory.path() / "state")) {
    const bool looked_at = entry.is_regular_file() && !but.contains(entry.path().filename());
    bytes += looked_at ? read_file(entry.path()) : "";
  }
  return bytes;
}

std::string found_in(const std::string& bytes, const Outbreak& outbreak) {
  if (bytes.find(kMark) != std::string::npos) {
    return "a name or an address";
  }
  // A coordinate is two digits, a point and many digits; what comes before or after it in a file
  // may be digits too. Its beginning is enough.
  std::unordered_set<std::string_view> beginnings;
  for (const auto& secret : outbreak.secrets) {
    beginnings.insert(std::string_view(secret).substr(0, kBeginning));
  }
  const std::string_view all = bytes;
  for (auto point = all.find('.', 2); point != all.npos; point = all.find('.', point + 1)) {
    if (beginnings.contains(all.substr(point - 2, kBeginning))) {
      return "a coordinate";
    }
  }
  return "";
}

void arrive(On primary, On secondary) {
  if (!std::filesystem::exists(data_directory())) {
    MESSAGE("skipped: ", data_directory().string(), " is not there");
    return;
  }
  Pairing pairing(primary, secondary, contract("\"withhold\""));
  const auto outbreak = load_all(pairing.primary);
  REQUIRE(outbreak.secrets.size() > 10'000);
  std::string said;
  const auto run = [&](const std::vector<std::string>& words, int exit) {
    const auto ran = pairing.run(words);
    CHECK_MESSAGE(ran.exit == exit, ran.err);
    said += ran.out + ran.err;
    return ran.out;
  };
  run({"drift", "accept"}, 0);
  run({"diff"}, 0);
  const auto first = Json::parse(run({"sync", "--json"}, 0));
  CHECK(first["tables"]["person"]["inserted"] == 12867);
  CHECK(first["tables"]["contact"]["inserted"] == 11589);
  for (const auto& table : kTables) {
    CHECK(pairing.primary.rows("SELECT count(*) FROM " + table) ==
          pairing.secondary.rows("SELECT count(*) FROM " + table));
  }
  const auto joined =
      "SELECT p.sex, q.sex, count(*) FROM contact c JOIN person p ON p.id = c.id_index "
      "JOIN person q ON q.id = c.id_contact GROUP BY p.sex, q.sex ORDER BY 1, 2";
  CHECK(pairing.primary.rows(joined) == pairing.secondary.rows(joined));

  const auto before = secondary_bytes(pairing);
  const auto second = Json::parse(run({"sync", "--json"}, 0));
  CHECK(second["outcome"] == "unchanged");
  const bool untouched = secondary_bytes(pairing) == before;  // for a message without both
  CHECK(untouched);
  // the second run may note in its cache how it has read; the third has nothing to note, but that
  // it ran, and how far the primary's log has got, which goes on with whatever else its server does
  const std::set<std::string> goes_on{"anchor.json", "attempts"};
  const auto settled = everything(pairing, goes_on);
  run({"sync"}, 0);
  const bool still_so = everything(pairing, goes_on) == settled;
  CHECK(still_so);

  pairing.primary.run(
      "UPDATE person SET died = 'TRUE' WHERE id BETWEEN 100 AND 199;"
      "UPDATE person SET first_name = 'Neu#Qx7' WHERE id = 5;"
      "DELETE FROM symptom WHERE id <= 20");
  pairing.secondary.run("UPDATE person SET degree = '77' WHERE age_group = 'A00-A04'");
  const auto both = "age_group = 'A00-A04' AND reporting_week = '2020-W12'";
  const auto conflicts =
      pairing.primary.rows(std::string("SELECT count(*) FROM person WHERE ") + both);
  REQUIRE(conflicts != "0");
  pairing.primary.run(std::string("UPDATE person SET degree = '78' WHERE ") + both);
  run({"diff", "--json"}, 0);
  run({"diff", "-v"}, 0);
  run({"sync", "--dry-run", "-v"}, 10);
  const auto merged = Json::parse(run({"sync", "--json"}, 10));
  CHECK(merged["outcome"] == "applied");
  CHECK(merged["open"]["conflicts"] == std::stoi(conflicts));
  CHECK(merged["tables"]["symptom"]["deleted"] == 20);
  CHECK(merged["tables"]["person"]["updated"].get<int>() > 50);
  CHECK(pairing.secondary.rows("SELECT count(*) FROM person WHERE degree = '77'") ==
        pairing.primary.rows("SELECT count(*) FROM person WHERE age_group = 'A00-A04'"));
  run({"conflicts", "--json"}, 0);
  run({"status", "-v"}, 0);
  run({"log"}, 0);
  run({"conflicts"}, 0);
  run({"sync", "-v"}, 10);
  run({"resolve", "--all", "--take", "primary"}, 0);
  run({"sync", "-v"}, 0);

  const auto bytes = everything(pairing);
  CHECK(found_in(bytes, outbreak).empty());
  CHECK(found_in(said, outbreak).empty());

  // the search is able to find: a contract that lets first names out is caught
  Pairing leaky(primary, secondary, contract("\"plain\""));
  (void)load_all(leaky.primary);
  CHECK(leaky.run({"sync", "-q"}).exit == 0);
  CHECK_FALSE(found_in(everything(leaky), outbreak).empty());
  CHECK_FALSE(found_in("2020-10-17" + *outbreak.secrets.begin() + "99", outbreak).empty());
}

}  // namespace

TEST_CASE("the outbreak arrives, merges and leaks nothing") {
  on_every_pairing(arrive);
}

}  // namespace abgleich::test
