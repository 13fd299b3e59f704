#include "journal/quarantine_cause.hpp"

#include <fmt/format.h>

namespace abgleich::journal {

namespace {

constexpr std::string_view kStillThere = "; the secondary still has it";
constexpr std::string_view kRefused = "the secondary's types refuse it (";
constexpr std::string_view kRepeated = "the key occurs more than once";
constexpr std::string_view kTaken = "the row with this key is another peer's, of the bookkeeping ";
constexpr std::string_view kRare = " subjects share its quasi-identifiers";
constexpr std::string_view kBelongs = "it belongs to a row that min_k holds back";

}  // namespace

std::string text_of(QuarantineCause cause, std::string_view detail) {
  switch (cause) {
    case QuarantineCause::value:
      return std::string(detail);
    case QuarantineCause::refused_by_type:
      return fmt::format("{}{})", kRefused, detail);
    case QuarantineCause::repeated_key:
      return std::string(kRepeated);
    case QuarantineCause::taken:
      return fmt::format("{}{}", kTaken, detail);
    case QuarantineCause::rare:
      return fmt::format("fewer than {}{}", detail, kRare);
    case QuarantineCause::belongs_to_rare:
      return std::string(kBelongs);
  }
  return {};
}

std::string still_there(std::string_view text) {
  return fmt::format("{}{}", text, kStillThere);
}

bool is_still_there(std::string_view text) {
  return text.ends_with(kStillThere);
}

QuarantineCause quarantine_cause_of(std::string_view text) {
  if (is_still_there(text)) {
    text.remove_suffix(kStillThere.size());
  }
  return text == kRepeated            ? QuarantineCause::repeated_key
         : text.starts_with(kTaken)   ? QuarantineCause::taken
         : text == kBelongs           ? QuarantineCause::belongs_to_rare
         : text.ends_with(kRare)      ? QuarantineCause::rare
         : text.starts_with(kRefused) ? QuarantineCause::refused_by_type
                                      : QuarantineCause::value;
}

bool is_rarity(std::string_view text) {
  const auto cause = quarantine_cause_of(text);
  return cause == QuarantineCause::rare || cause == QuarantineCause::belongs_to_rare ||
         is_still_there(text);
}

}  // namespace abgleich::journal
