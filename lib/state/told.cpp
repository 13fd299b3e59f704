#include "state/told.hpp"

#include "core/replace_file.hpp"
#include "core/shallow_json.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <sodium.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>
#include <sstream>
#include <system_error>
#include <utility>

namespace abgleich::state {

namespace {

using Json = nlohmann::ordered_json;
using Kind = Matter::Kind;

constexpr const char* kToldFile = "told.json";
constexpr const char* kToldFormat = "abgleich.told/1";
constexpr std::array<std::string_view, 8> kKinds{"failure",  "overlap", "overdue", "killed",
                                                 "conflict", "held",    "drift",   "note"};
constexpr std::int64_t kDay = 86'400;  // seconds
/// A reminder is to come at the same time every day, although attempts do not begin at the same
/// second.
constexpr std::int64_t kSlack = 60;

std::string fingerprint_of(const Matter& matter) {
  std::array<unsigned char, crypto_generichash_BYTES_MIN> digest{};
  const auto text = fmt::format("{}:{}", static_cast<int>(matter.kind), matter.name);
  crypto_generichash(digest.data(), digest.size(),
                     reinterpret_cast<const unsigned char*>(text.data()), text.size(), nullptr, 0);
  std::string hex;
  for (const auto byte : digest) {
    hex += fmt::format("{:02x}", byte);
  }
  return hex;
}

/// Whether a matter means that syncing itself does not work, unlike what a sync has found.
bool is_failure(Kind kind) {
  return kind == Kind::failure || kind == Kind::overlap || kind == Kind::overdue ||
         kind == Kind::killed;
}

/// One decision, step by step.
class Decision {
 public:
  Decision(Told told, Reach reach, std::int64_t now) : reach_(reach), now_(now) {
    speech_.told = std::move(told);
    correct_clock();
    std::erase_if(known(),
                  [&](const KnownMatter& one) { return one.over && one.told <= now_ - kDay; });
  }

  Speech make(const std::vector<Matter>& found) && {
    std::vector<std::string> seen;
    for (const auto& matter : found) {
      auto fingerprint = fingerprint_of(matter);
      hear(matter, fingerprint);
      seen.push_back(std::move(fingerprint));
    }
    if (reach_ != Reach::begun) {
      for (auto& one : known()) {
        if (std::ranges::find(seen, one.fingerprint) == seen.end()) {
          miss(one);
        }
      }
      std::erase_if(known(), [](const KnownMatter& one) { return one.since < 0; });
      remind();
    }
    if (!speech_.silent()) {
      speech_.told.spoke = now_;
    }
    return std::move(speech_);
  }

 private:
  std::vector<KnownMatter>& known() { return speech_.told.known; }

  /// Where the clock was ahead once, times in the future would suppress mails until then.
  void correct_clock() {
    speech_.told.spoke = std::min(speech_.told.spoke, now_);
    for (auto& one : known()) {
      one.since = std::min(one.since, now_);
      one.told = std::min(one.told, now_);
    }
  }

  void tell(const Matter& matter, KnownMatter& one) {
    speech_.news.push_back(matter);
    one.told = now_;
    one.waits = false;
  }

  void hear(const Matter& matter, const std::string& fingerprint) {
    auto one = std::ranges::find(known(), fingerprint, &KnownMatter::fingerprint);
    const bool is_new = one == known().end();
    if (is_new) {
      known().push_back({.kind = matter.kind, .fingerprint = fingerprint, .since = now_});
      one = std::prev(known().end());
    }
    const bool back = one->over;
    if (back) {
      one->over = false;
      one->since = now_;
    }
    const bool again = reach_ == Reach::begun && now_ - one->told >= kDay - kSlack;
    if (back || (is_new && matter.kind == Kind::overlap)) {
      one->waits = true;
    } else if (is_new || one->waits || matter.count > one->count || again) {
      tell(matter, *one);
    }
    one->count = matter.count;
  }

  /// A known matter was not found by this attempt.
  void miss(KnownMatter& one) {
    const bool got_through = reach_ == Reach::all || reach_ == Reach::part;
    const bool was_open = !one.over && !one.waits && one.told > 0;
    if (is_failure(one.kind) && (got_through || one.waits)) {
      if (was_open && one.kind != Kind::killed) {
        speech_.works_again = std::min(one.since, speech_.works_again.value_or(one.since));
      }
      one.over = true;
      one.waits = false;
      one.since = one.told > 0 ? one.since : kForget;
    } else if (!is_failure(one.kind) && got_through &&
               (reach_ == Reach::all || one.kind != Kind::held_back)) {
      one.since = kForget;
    }
  }

  void remind() {
    if (!speech_.silent() || now_ - speech_.told.spoke < kDay - kSlack) {
      return;
    }
    for (const auto& one : known()) {
      if (one.told > 0 && !one.over && !one.waits && one.kind != Kind::note) {
        speech_.reminder = std::min(one.since, speech_.reminder.value_or(one.since));
      }
    }
  }

  static constexpr std::int64_t kForget = -1;

  Reach reach_;
  std::int64_t now_;
  Speech speech_;
};

bool flag_of(const Json& json, const char* name) {
  return json.contains(name) && json[name].is_boolean() && json[name].get<bool>();
}

std::int64_t number_of(const Json& json, const char* name) {
  return json.contains(name) && json[name].is_number_integer() ? json[name].get<std::int64_t>() : 0;
}

std::optional<KnownMatter> known_matter_of(const Json& json) {
  if (!json.is_object() || !json.contains("kind") || !json["kind"].is_string() ||
      !json.contains("is") || !json["is"].is_string()) {
    return std::nullopt;
  }
  const auto kind = std::ranges::find(kKinds, json["kind"].get<std::string>());
  if (kind == kKinds.end()) {
    return std::nullopt;
  }
  return KnownMatter{.kind = static_cast<Kind>(kind - kKinds.begin()),
                     .fingerprint = json["is"].get<std::string>(),
                     .count = number_of(json, "count"),
                     .since = std::max<std::int64_t>(0, number_of(json, "since")),
                     .told = number_of(json, "told"),
                     .waits = flag_of(json, "waits"),
                     .over = flag_of(json, "over")};
}

}  // namespace

Reach reach_of(Code code) {
  switch (code) {
    case Code::done:
    case Code::conflicts_open:
    case Code::quarantine_or_drift:
      return Reach::all;
    case Code::paused:
      return Reach::paused;
    default:
      return Reach::nowhere;
  }
}

bool Speech::tells(Matter::Kind kind, const std::string& name) const {
  return std::ranges::any_of(
      news, [&](const Matter& matter) { return matter.kind == kind && matter.name == name; });
}

Speech decide(Told told, const std::vector<Matter>& found, Reach reach, std::int64_t now) {
  if (reach == Reach::paused) {
    Speech silent;
    silent.told = std::move(told);
    return silent;
  }
  return Decision(std::move(told), reach, now).make(found);
}

std::string without_numbers(std::string_view text) {
  std::string words;
  for (const char c : text) {
    const bool digit = c >= '0' && c <= '9';
    if (!digit || words.empty() || words.back() != '#') {
      words += digit ? '#' : c;
    }
  }
  return words;
}

std::string name_of_failure(const Error& error) {
  return fmt::format("{}:{}", static_cast<int>(error.code), without_numbers(error.message));
}

Told read_told(const std::filesystem::path& directory) {
  std::ostringstream text;
  text << std::ifstream(directory / kToldFile, std::ios::binary).rdbuf();
  const auto json = parse_shallow<Json>(text.str());
  Told told;
  if (!json.is_object() || !json.contains("format") || json["format"] != kToldFormat ||
      !json.contains("known") || !json["known"].is_array()) {
    return told;
  }
  told.spoke = number_of(json, "spoke");
  for (const auto& one : json["known"]) {
    if (auto known = known_matter_of(one)) {
      told.known.push_back(*std::move(known));
    }
  }
  return told;
}

std::string write_told(const std::filesystem::path& directory, const Told& told) {
  Json json = {{"format", kToldFormat}, {"spoke", told.spoke}};
  auto& known = json["known"] = Json::array();
  for (const auto& one : told.known) {
    known.push_back({{"kind", kKinds.at(static_cast<std::size_t>(one.kind))},
                     {"is", one.fingerprint},
                     {"count", one.count},
                     {"since", one.since},
                     {"told", one.told},
                     {"waits", one.waits},
                     {"over", one.over}});
  }
  try {
    constexpr unsigned kOwn = 0600;
    replace_file(directory / kToldFile, json.dump() + "\n", kOwn);
    return {};
  } catch (const std::system_error& error) {
    return fmt::format("what was told cannot be written to '{}', and is told again: {}",
                       (directory / kToldFile).string(), error.code().message());
  }
}

}  // namespace abgleich::state
