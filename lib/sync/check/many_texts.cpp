#include "sync/check/many_texts.hpp"

#include "core/digest.hpp"
#include "mask/masker.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <optional>
#include <string_view>
#include <unordered_set>

namespace abgleich::sync {

namespace {

constexpr std::int64_t kRowsToSee = 20'000;
// More texts than a list of codes usually has, and each of them in few rows.
constexpr std::int64_t kManyTexts = 50;
constexpr std::int64_t kFewRowsAText = 10;
// For free text, which shows by its number of words, a few texts are enough.
constexpr std::int64_t kSomeTexts = 10;
constexpr int kWordsOfASentence = 3;

bool has_words(std::string_view text, int words) {
  bool inside = false;
  for (const char c : text) {
    const bool letter = static_cast<unsigned char>(c) > ' ';
    words -= letter && !inside ? 1 : 0;
    inside = letter;
  }
  return words <= 0;
}

/// Whether letters of its values leave: all of them, or the first ones.
bool leaves_as_text(const contract::Column& column, const Type& type) {
  return column.because.empty() && column.codes.empty() && type.labels.empty() &&
         type.family == Family::text &&
         (column.cls == contract::Class::plain ||
          (column.cls == contract::Class::generalise &&
           column.generalisation.to == contract::Generalisation::To::prefix));
}

class Texts {
 public:
  Texts(const contract::Column& column, const Type& type, const mask::Keyring& keyring)
      : column_(&column),
        table_{.name = "", .columns = {column}},
        masker_(table_, table_.exported(), {type}, keyring) {}

  void take(const RawValue& raw) {
    one_.cells.assign(1, raw);
    if (masker_.mask(one_, row_).refusal || row_.cells[0].is_null()) {
      return;
    }
    ++rows_;
    const auto text = row_.cells[0].bytes();
    if (seen_.insert(fingerprint(text)).second) {
      sentences_ += has_words(text, kWordsOfASentence) ? 1 : 0;
    }
  }

  [[nodiscard]] const contract::Column& column() const { return *column_; }

  [[nodiscard]] std::optional<std::string> judge() const {
    const auto texts = static_cast<std::int64_t>(seen_.size());
    if (texts >= kSomeTexts && sentences_ * 2 >= texts) {
      return fmt::format(
          "leaves as text, and most of its {} different texts are of {} words or more", texts,
          kWordsOfASentence);
    }
    if (texts >= kManyTexts && rows_ <= texts * kFewRowsAText) {
      return fmt::format("leaves as text, and has {} different texts in {} rows, as names have",
                         texts, rows_);
    }
    return std::nullopt;
  }

 private:
  const contract::Column* column_;
  contract::Table table_;
  mask::Masker masker_;
  RawRow one_;
  Row row_;
  std::int64_t rows_ = 0;
  std::int64_t sentences_ = 0;
  std::unordered_set<std::uint64_t> seen_;
};

}  // namespace

std::vector<contract::Doubt> columns_of_many_texts(const contract::Contract& contract,
                                                   const Catalog& primary, db::Source& source,
                                                   const mask::Keyring& keyring) {
  std::vector<contract::Doubt> doubts;
  for (const auto& table : contract.tables) {
    const auto* there = primary.find_table(table.name);
    std::vector<const CatalogColumn*> to_read;
    std::vector<Texts> texts;
    for (const auto* column : table.exported()) {
      const auto* found = there == nullptr ? nullptr : there->find_column(column->name);
      if (found != nullptr && found->readable && leaves_as_text(*column, found->type) &&
          !mask::misfit(*column, found->type)) {
        to_read.push_back(found);
        texts.emplace_back(*column, found->type, keyring);
      }
    }
    if (to_read.empty()) {
      continue;
    }
    source.sample(table.name, to_read, kRowsToSee, [&](const RawRow& row) {
      for (std::size_t i = 0; i < texts.size(); ++i) {
        texts[i].take(row.cells[i]);
      }
    });
    for (const auto& one : texts) {
      if (auto why = one.judge()) {
        doubts.push_back({.table = table.name,
                          .column = one.column().name,
                          .why = *std::move(why) + ": init keeps texts back",
                          .hint = contract::how_to_settle(one.column())});
      }
    }
  }
  return doubts;
}

}  // namespace abgleich::sync
