#include "contract/column_names.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

namespace abgleich::contract {

namespace {

// Parts of names; they count wherever they stand in a name.
constexpr auto kPersonalStems = std::to_array<std::string_view>(
    {// names and people
     "name", "anrede", "salutation", "titel", "maiden", "mother", "father", "mutter", "vater",
     "eltern", "parent", "guardian", "vormund", "spouse", "ehepartner", "angehoerig", "relative",
     "contactperson", "ansprechpartner", "user", "benutzer", "nutzer", "login", "officer",
     "clinician", "physician", "doctor", "arzt", "aerzt", "sachbearbeit", "signature",
     "unterschrift",
     // where they are
     "street", "strasse", "housen", "hausn", "address", "adress", "anschrift", "wohn", "residence",
     "city", "town", "village", "stadt", "gemeinde", "ortsteil", "postal", "postcode",
     "postleitzahl", "plz", "latitude", "longitude", "laengengrad", "breitengrad", "koordinat",
     "coordinate", "geom", "geoloc", "location", "community", "facility", "accommodation",
     "destination", "flight", "birthplace", "workplace", "arbeitsplatz", "arbeitgeber", "employer",
     "schule", "school",
     // how to reach them
     "phone", "telefon", "telno", "telnr", "telef", "mobil", "handy", "cellular", "mail",
     "facebook", "whatsapp", "skype", "website",
     // numbers that are theirs
     "birth", "geburt", "passport", "reisepass", "ausweis", "iban", "ssn", "socialsecurity",
     "sozialversicherung", "versicher", "insurance", "nationalid", "nationalhealthid", "taxid",
     "steuer", "konto", "account", "kennzeichen", "licenseplate", "externalid", "externaltoken",
     "ipaddr", "macaddr", "device", "seatnumber",
     // what is said about them
     "comment", "kommentar", "bemerkung", "anmerkung", "remark", "note", "notiz", "hinweis",
     "freitext", "text", "beschreibung", "descri", "detail", "beruf", "occupation", "religion",
     "ethnic", "relation", "information", "nationalit", "citizenship", "staatsangehoerig"});

// Whole words: too short to be looked for inside other words ("description" contains "ip").
constexpr auto kPersonalWords =
    std::to_array<std::string_view>({"ip", "ort", "tel", "fax", "zip", "lat", "lon", "lng", "geb",
                                     "str", "hnr", "pass", "dob", "bic", "kvnr", "job", "foto"});

// Ends of words: coordinates are often written without a separator ("reportlat", "homelon").
constexpr auto kPersonalEndings = std::to_array<std::string_view>({"lat", "lon", "lng"});

constexpr auto kBirthStems = std::to_array<std::string_view>({"birth", "geburt", "dob"});

// Columns with few different values: whoever counts how often each pseudonym occurs can tell which
// value it stands for.
constexpr auto kGuessableStems = std::to_array<std::string_view>(
    {"gender", "geschlecht", "postcode", "postalcode", "postleitzahl", "birth", "geburt",
     "nationalit", "citizenship", "staatsangehoerig", "familienstand", "maritalstatus",
     "bundesland", "bloodgroup", "blutgruppe"});
constexpr auto kGuessableWords = std::to_array<std::string_view>(
    {"sex", "plz", "zip", "age", "alter", "dob", "geb", "anrede", "salutation", "religion"});

// Tables with few rows, to which many others refer.
constexpr auto kLookupStems = std::to_array<std::string_view>(
    {"district", "landkreis", "bezirk", "region", "country", "kategorie", "category", "lookup"});
constexpr auto kLookupWords =
    std::to_array<std::string_view>({"kreis", "land", "state", "staat", "type", "types", "typ",
                                     "art", "kind", "status", "sexes", "genders"});

constexpr auto kRecordDates = std::to_array<std::string_view>(
    {"changedate",   "changeddate",     "changed",          "changedat",        "changedon",
     "changetime",   "changetimestamp", "creationdate",     "creationtime",     "creationtimestamp",
     "created",      "createdat",       "createdon",        "createddate",      "createdate",
     "createtime",   "createdtime",     "updated",          "updatedat",        "updatedon",
     "updateddate",  "updatedate",      "updatetime",       "updatedtime",      "modified",
     "modifiedat",   "modifiedon",      "modifieddate",     "modificationdate", "modificationtime",
     "lastmodified", "lastmodifiedat",  "lastmodification", "lastchanged",      "lastchange",
     "lastupdated",  "lastupdate",      "lastupdatedat",    "insertedat",       "insertdate",
     "deletedat",    "erstellt",        "erstelltam",       "erstellungsdatum", "angelegtam",
     "geaendert",    "geaendertam",     "aenderungsdatum",  "aktualisiertam",   "letzteaenderung"});

constexpr auto kMakingStems =
    std::to_array<std::string_view>({"born", "creat", "insert", "erstell", "angelegt", "anlage",
                                     "erfass", "registered", "entered"});

constexpr auto kDeedStems = std::to_array<std::string_view>(
    {"report",     "melde",     "gemeldet",  "entered",  "erfass",   "recorded",
     "registered", "received",  "eingang",   "imported", "exported", "notified",
     "lastlogin",  "uebermitt", "inserted",  "created",  "changed",  "updated",
     "modified",   "erstellt",  "geaendert", "angelegt"});

/// The words of a name in lower case, umlauts spelled out: "Geburts_Ort", "geburtsOrt" and
/// "geburts ort" are two words each.
std::vector<std::string> words_of(std::string_view name) {
  std::vector<std::string> words(1);
  const auto split = [&words] {
    if (!words.back().empty()) {
      words.emplace_back();
    }
  };
  bool was_small = false;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const char c = name[i];
    const bool capital = c >= 'A' && c <= 'Z';
    if (capital && was_small) {
      split();
    }
    was_small = c >= 'a' && c <= 'z';
    if (capital) {
      words.back() += static_cast<char>(c - 'A' + 'a');
    } else if (was_small || (c >= '0' && c <= '9')) {
      words.back() += c;
    } else if (c == '\xC3' && i + 1 < name.size()) {
      switch (static_cast<unsigned char>(name[++i])) {
        case 0xA4:
        case 0x84:
          words.back() += "ae";
          break;
        case 0xB6:
        case 0x96:
          words.back() += "oe";
          break;
        case 0xBC:
        case 0x9C:
          words.back() += "ue";
          break;
        case 0x9F:
          words.back() += "ss";
          break;
        default:
          split();
      }
      was_small = true;
    } else {
      split();
    }
  }
  if (words.back().empty()) {
    words.pop_back();
  }
  return words;
}

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) {
    out += word;
  }
  return out;
}

template <std::size_t N>
bool holds_any(const std::string& name, const std::array<std::string_view, N>& stems) {
  return std::ranges::any_of(
      stems, [&name](std::string_view stem) { return name.find(stem) != std::string::npos; });
}

bool personal_word(const std::string& word) {
  // digits at the end do not matter: "tel7"
  const std::string_view bare(word.data(), word.find_last_not_of("0123456789") + 1);
  return std::ranges::find(kPersonalWords, bare) != kPersonalWords.end() ||
         std::ranges::any_of(kPersonalEndings,
                             [&bare](std::string_view end) { return bare.ends_with(end); }) ||
         // "wohnort", "geburtsort", but neither "report" nor "airport"
         (bare.ends_with("ort") && !bare.ends_with("port"));
}

}  // namespace

bool sounds_personal(std::string_view column) {
  const std::vector<std::string> words = words_of(column);
  return holds_any(joined(words), kPersonalStems) || std::ranges::any_of(words, personal_word);
}

bool sounds_guessable(std::string_view column) {
  const std::vector<std::string> words = words_of(column);
  return holds_any(joined(words), kGuessableStems) ||
         std::ranges::any_of(words, [](const std::string& word) {
           return std::ranges::find(kGuessableWords, word) != kGuessableWords.end();
         });
}

bool sounds_like_lookup(std::string_view table) {
  const std::vector<std::string> words = words_of(table);
  return sounds_guessable(table) || holds_any(joined(words), kLookupStems) ||
         std::ranges::any_of(words, [](const std::string& word) {
           return std::ranges::find(kLookupWords, word) != kLookupWords.end();
         });
}

bool sounds_like_birth(std::string_view column) {
  return holds_any(joined(words_of(column)), kBirthStems);
}

bool dates_the_making(std::string_view column) {
  return holds_any(joined(words_of(column)), kMakingStems);
}

bool dates_a_deed(std::string_view column) {
  return holds_any(joined(words_of(column)), kDeedStems);
}

bool dates_the_record(std::string_view column) {
  return std::ranges::find(kRecordDates, joined(words_of(column))) != kRecordDates.end();
}

}  // namespace abgleich::contract
