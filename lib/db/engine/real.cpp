#include "db/engine/real.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <system_error>
#include <utility>

namespace abgleich::db {

namespace {

/// Room for the shortest form of any double; the longest is "-2.2250738585072014e-308".
constexpr std::size_t kLongestReal = 32;

bool same_ignoring_case(std::string_view text, std::string_view lower) {
  if (text.size() != lower.size()) {
    return false;
  }
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c =
        text[i] >= 'A' && text[i] <= 'Z' ? static_cast<char>(text[i] - 'A' + 'a') : text[i];
    if (c != lower[i]) {
      return false;
    }
  }
  return true;
}

std::optional<double> special_from(std::string_view text) {
  constexpr auto kInfinity = std::numeric_limits<double>::infinity();
  constexpr std::array<std::pair<std::string_view, double>, 7> kNames{
      {{"infinity", kInfinity},
       {"inf", kInfinity},
       {"+infinity", kInfinity},
       {"+inf", kInfinity},
       {"-infinity", -kInfinity},
       {"-inf", -kInfinity},
       {"nan", std::numeric_limits<double>::quiet_NaN()}}};
  for (const auto& [name, number] : kNames) {
    if (same_ignoring_case(text, name)) {
      return number;
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<double> real_from(std::string_view text) {
  // std::from_chars takes no plus sign, and takes "nan(…)", which no engine prints.
  auto digits = text;
  if (digits.starts_with('+')) {
    digits.remove_prefix(1);
  }
  const auto first =
      digits.substr(digits.starts_with('-') && digits.size() == text.size() ? 1 : 0, 1);
  if (first.empty() || !((first[0] >= '0' && first[0] <= '9') || first[0] == '.')) {
    return special_from(text);
  }
  double number = 0;
  const auto* const end = digits.data() + digits.size();
  const auto [at, error] = std::from_chars(digits.data(), end, number);
  if (error != std::errc() || at != end) {
    return std::nullopt;
  }
  return number;
}

std::string_view canonical_real(double number, std::string& scratch) {
  if (std::isnan(number)) {
    return "NaN";
  }
  if (std::isinf(number)) {
    return number > 0 ? "Infinity" : "-Infinity";
  }
  scratch.resize(kLongestReal);
  const auto [end, error] = std::to_chars(scratch.data(), scratch.data() + scratch.size(), number);
  scratch.resize(static_cast<std::size_t>(end - scratch.data()));
  return scratch;
}

std::string_view canonical_real(std::string_view text, std::string& scratch) {
  const auto number = real_from(text);
  return number ? canonical_real(*number, scratch) : std::string_view();
}

}  // namespace abgleich::db
