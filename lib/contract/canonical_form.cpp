#include "contract/canonical_form.hpp"

#include <array>
#include <charconv>
#include <system_error>

namespace abgleich::contract {

namespace {

constexpr std::array<std::string_view, 8> kForms{"written",   "number",      "real", "date",
                                                 "timestamp", "timestamptz", "uuid", "text"};
constexpr std::array<std::string_view, 3> kFolds{"", "ascii", "unicode"};
constexpr std::string_view kTrimmed = "trimmed";
constexpr std::string_view kRefers = "refers";

std::string_view take_word(std::string_view& text) {
  const auto word = text.substr(0, text.find(' '));
  text.remove_prefix(word.size() < text.size() ? word.size() + 1 : word.size());
  return word;
}

std::optional<int> number_of(std::string_view word) {
  int number = 0;
  const auto [at, error] = std::from_chars(word.data(), word.data() + word.size(), number);
  return error == std::errc() && at == word.data() + word.size() ? std::optional(number)
                                                                 : std::nullopt;
}

}  // namespace

std::string text_of(const CanonicalForm& form) {
  std::string text(kForms.at(static_cast<std::size_t>(form.of)));
  if (form.scale) {
    text += ' ' + std::to_string(*form.scale);
  }
  if (form.of == CanonicalForm::Of::real) {
    text += ' ' + std::to_string(form.bits);
  }
  if (form.fold != CanonicalForm::Fold::none) {
    text += ' ';
    text += kFolds.at(static_cast<std::size_t>(form.fold));
  }
  for (const auto& [word, said] : {std::pair(kTrimmed, form.trimmed), {kRefers, form.refers}}) {
    if (said) {
      text += ' ';
      text += word;
    }
  }
  return text;
}

std::optional<CanonicalForm> canonical_form_from(std::string_view text) {
  const auto all = text;
  CanonicalForm form;
  const auto first = take_word(text);
  std::size_t at = 0;
  while (at < kForms.size() && kForms.at(at) != first) {
    ++at;
  }
  if (at == kForms.size()) {
    return std::nullopt;
  }
  form.of = static_cast<CanonicalForm::Of>(at);
  while (!text.empty()) {
    const auto word = take_word(text);
    if (const auto number = number_of(word)) {
      if (form.of == CanonicalForm::Of::real) {
        form.bits = *number;
      } else {
        form.scale = number;
      }
    }
    form.trimmed = form.trimmed || word == kTrimmed;
    form.refers = form.refers || word == kRefers;
    for (std::size_t fold = 1; fold < kFolds.size(); ++fold) {
      if (word == kFolds.at(fold)) {
        form.fold = static_cast<CanonicalForm::Fold>(fold);
      }
    }
  }
  return text_of(form) == all ? std::optional(form) : std::nullopt;
}

}  // namespace abgleich::contract
