#include "mask/returned_tokens.hpp"

#include "core/token.hpp"
#include "mask/reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

namespace abgleich::mask {

void ReturnedTokens::ask(const RawValue& raw) {
  const auto& value = Reader::open(raw);
  if (value.is_null()) {
    return;
  }
  const auto token = read_token(value.bytes());
  if (token && token->issuer == issuer_) {
    asked_[token->epoch].push_back(token->digits);
  }
}

std::vector<int> ReturnedTokens::epochs() {
  std::vector<int> epochs;
  for (auto& [epoch, digits] : asked_) {
    std::ranges::sort(digits);
    epochs.push_back(epoch);
  }
  return epochs;
}

void ReturnedTokens::look(int epoch, const Column& column, const Rows& rows) {
  const auto& asked = asked_.at(epoch);
  auto& found = found_[epoch];
  Reveal reveal({&column.column}, {column.source}, column.keyring, [&](const std::string& token) {
    return std::ranges::binary_search(asked, read_token(token)->digits);
  });
  rows([&](const RawRow& row) {
    reveal.look(row, [&](const std::string& token, std::size_t, std::string_view value) {
      found.push_back(
          {.digits = read_token(token)->digits, .begin = values_.size(), .size = value.size()});
      values_ += value;
    });
  });
  // of several spellings of one value (by its normaliser) every run takes the same one
  std::ranges::sort(found, [&](const Found& a, const Found& b) {
    return std::pair(a.digits, value_at(a)) < std::pair(b.digits, value_at(b));
  });
}

std::optional<std::string_view> ReturnedTokens::value_of(std::string_view text) const {
  const auto token = read_token(text);
  const auto epoch = token && token->issuer == issuer_ ? found_.find(token->epoch) : found_.end();
  if (epoch == found_.end()) {
    return std::nullopt;
  }
  const auto found =
      std::ranges::lower_bound(epoch->second, token->digits, std::less<>{}, &Found::digits);
  if (found == epoch->second.end() || found->digits != token->digits) {
    return std::nullopt;
  }
  return value_at(*found);
}

std::string_view ReturnedTokens::value_at(const Found& found) const {
  return std::string_view(values_).substr(found.begin, found.size);
}

std::uint64_t ReturnedTokens::mark(const Fingerprinter& fingerprinter) const {
  std::uint64_t mark = 0;
  for (const auto& [epoch, all] : found_) {
    for (const auto& found : all) {
      std::string text = fmt::format("{} ", epoch);
      text.append(found.digits.begin(), found.digits.end());
      text += value_at(found);
      mark += fingerprinter.of(text).low;  // whatever their order
    }
  }
  return mark;
}

}  // namespace abgleich::mask
