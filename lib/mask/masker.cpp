#include "mask/masker.hpp"

#include "core/error.hpp"
#include "core/token.hpp"
#include "mask/ascii.hpp"
#include "mask/canonical_form.hpp"
#include "mask/date_shift.hpp"
#include "mask/generalise.hpp"
#include "mask/integer_pseudonym.hpp"
#include "mask/pseudonym.hpp"
#include "mask/reader.hpp"
#include "mask/reason.hpp"

#include <algorithm>
#include <utility>
#include <variant>

namespace abgleich::mask {

namespace {

constexpr int kWord = 32;  // bits of the smallest integer type with a domain for FF1

constexpr std::string_view kDefaultCountry = "DE";

struct Plain {};
struct PassedToken {
  std::string issuer;  // the only one; empty: anybody
};
struct ReturnedToken {
  std::shared_ptr<contract::IssuedTokens> issued;
};

using Way = std::variant<Plain, PassedToken, ReturnedToken, Pseudonymiser, Generaliser, DateShift>;

contract::Format format_of(const contract::Column& column, const Type& source) {
  if (column.format != contract::Format::automatic) {
    return column.format;
  }
  return source.family == Family::uuid ? contract::Format::uuid : contract::Format::text;
}

/// The column that says whose row it is.
struct Subject {
  const contract::Column* column = nullptr;
  const Type* source = nullptr;
};

Way way_of(const contract::Column& column, const Type& source, const Subject& subject,
           const Keyring& keyring) {
  switch (column.cls) {
    case contract::Class::plain:
      return Plain{};
    case contract::Class::pseudonym:
      return Pseudonymiser(keyring, recipe_of(column, source));
    case contract::Class::generalise:
      if (column.generalisation.to == contract::Generalisation::To::shift) {
        if (subject.column == nullptr) {
          throw Failure(Code::bug, "a shift without a subject got past the contract");
        }
        return DateShift(keyring, recipe_of(*subject.column, *subject.source),
                         column.generalisation.n, column.generalisation.shift_epoch);
      }
      return Generaliser(column.generalisation);
    case contract::Class::token:
      if (!column.resolves) {
        return PassedToken{.issuer = column.issuer};
      }
      if (!column.issued) {
        throw Failure(Code::bug, "a token that nobody resolves came to be masked");
      }
      return ReturnedToken{.issued = column.issued};
    case contract::Class::withhold:
      break;
  }
  throw Failure(Code::bug, "a column that is withheld came to be masked");
}

/// Whether a value of this kind can be malformed text; the dialects make ASCII of all other kinds.
bool is_free_text(Kind kind) {
  return kind == Kind::text || kind == Kind::json || kind == Kind::other;
}

std::string_view without_padding(std::string_view text) {
  const auto last = text.find_last_not_of(' ');
  return text.substr(0, last == std::string_view::npos ? 0 : last + 1);
}

}  // namespace

Recipe recipe_of(const contract::Column& column, const Type& source) {
  return {.identity = column.identity,
          .format = format_of(column, source),
          .normaliser = column.normaliser,
          .form = column.form,
          .bits = real_bits(source),
          .country = column.country.empty() ? kDefaultCountry : std::string_view(column.country),
          .domain = source.family == Family::integer && source.bits == kWord
                        ? IntegerDomain::digits_9
                        : IntegerDomain::digits_18};
}

/// How one column is masked, with what that needs.
class Masker::Column {
 public:
  enum class Part : std::uint8_t { key, data };

  Column(const contract::Column& column, const Type& source, Part part, const Subject& subject,
         const Keyring& keyring)
      : part_(part),
        padded_(source.padded),
        padded_subject_(subject.source != nullptr && subject.source->padded),
        on_unusable_(column.on_unusable),
        codes_(column.codes),
        way_(way_of(column, source, subject, keyring)) {
    std::ranges::sort(codes_);
  }

  [[nodiscard]] Part part() const { return part_; }
  [[nodiscard]] bool resolves() const { return std::holds_alternative<ReturnedToken>(way_); }

  /// `subject` is the row's subject as the primary has it, where the table has one.
  Reason mask(const Value& raw, const Value* subject, Value& out) {
    auto why = try_mask(raw, subject, out);
    if (why && on_unusable_ == contract::OnUnusable::null) {
      out.set_null();
      return std::nullopt;
    }
    return why;
  }

 private:
  Reason try_mask(const Value& raw, const Value* subject, Value& out) {
    if (raw.is_null()) {
      out.set_null();
      return part_ == Part::key ? Reason(Cause::key_is_null) : std::nullopt;
    }
    if (is_free_text(raw.kind()) && !is_ascii(raw.bytes()) && !is_utf8(raw.bytes())) {
      return Cause::not_utf8;
    }
    if (auto* const pseudonymiser = std::get_if<Pseudonymiser>(&way_)) {
      if (!allows(raw)) {
        return Cause::not_in_codes;
      }
      if (!padded_) {
        return pseudonymiser->make(raw, out);
      }
      unpadded_.set(raw.kind(), without_padding(raw.bytes()));
      return pseudonymiser->make(unpadded_, out);
    }
    if (auto* const shift = std::get_if<DateShift>(&way_)) {
      if (auto why = move(*shift, raw, *subject, out)) {
        return why;
      }
    } else if (const auto* const generaliser = std::get_if<Generaliser>(&way_)) {
      if (auto why = generaliser->make(raw, out)) {
        return why;
      }
    } else if (const auto* const returned = std::get_if<ReturnedToken>(&way_)) {
      const auto value = returned->issued->value_of(raw.bytes());
      if (!value) {
        return Cause::unknown_token;
      }
      out.set(Kind::text, *value);
    } else if (const auto* const passed = std::get_if<PassedToken>(&way_)) {
      const auto token = read_token(raw.bytes());
      if (!token) {
        return Cause::no_token;
      }
      if (!passed->issuer.empty() && passed->issuer != token->issuer) {
        return Cause::others_token;
      }
      out.set(raw.kind(), raw.bytes());
    } else {
      out.set(raw.kind(), raw.bytes());
    }
    return allows(out) ? std::nullopt : Reason(Cause::not_in_codes);
  }

  Reason move(DateShift& shift, const Value& raw, const Value& subject, Value& out) {
    if (subject.is_null()) {
      return Cause::no_subject;
    }
    if (is_free_text(subject.kind()) && !is_ascii(subject.bytes()) && !is_utf8(subject.bytes())) {
      return Cause::not_utf8;
    }
    if (!padded_subject_) {
      return shift.make(raw, subject, out);
    }
    unpadded_.set(subject.kind(), without_padding(subject.bytes()));
    return shift.make(raw, unpadded_, out);
  }

  [[nodiscard]] bool allows(const Value& value) const {
    if (codes_.empty()) {
      return true;
    }
    // the blanks that fill a character(n) have no meaning in SQL either
    const auto code = padded_ ? without_padding(value.bytes()) : std::string_view(value.bytes());
    return std::ranges::binary_search(codes_, code, std::less<>{},
                                      [](std::string_view known) { return known; });
  }

  Part part_;
  bool padded_;
  bool padded_subject_;
  contract::OnUnusable on_unusable_;
  std::vector<std::string> codes_;  // sorted
  Way way_;
  Value unpadded_;
};

Masker::Masker(const contract::Table& table, const std::vector<const contract::Column*>& columns,
               const std::vector<Type>& types, const Keyring& keyring) {
  if (columns.size() != types.size()) {
    throw Failure(Code::bug, "columns and their types do not match");
  }
  Subject subject;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (!table.subject.empty() && columns[i]->name == table.subject) {
      subject = {.column = columns[i], .source = &types[i]};
      subject_ = i;
    }
  }
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const auto part = std::ranges::count(table.key, columns[i]->name) > 0 ? Column::Part::key
                                                                          : Column::Part::data;
    columns_.push_back(std::make_unique<Column>(*columns[i], types[i], part, subject, keyring));
    order_.push_back(i);
  }
  // what a token stands for decides first whether the row is there at all
  std::ranges::stable_sort(order_, std::less<>{}, [&](std::size_t i) {
    return columns_[i]->resolves() ? 0 : columns_[i]->part() == Column::Part::key ? 1 : 2;
  });
}

Masker::Masker(Masker&&) noexcept = default;
Masker& Masker::operator=(Masker&&) noexcept = default;
Masker::~Masker() = default;

Masker::Outcome Masker::mask(const RawRow& raw, Row& row) {
  if (raw.cells.size() != columns_.size()) {
    throw Failure(Code::bug, "a row of the primary has another number of cells than the contract");
  }
  row.cells.resize(columns_.size());
  const auto* const subject = subject_ ? &Reader::open(raw.cells[*subject_]) : nullptr;
  for (const auto i : order_) {
    const auto why = columns_[i]->mask(Reader::open(raw.cells[i]), subject, row.cells[i]);
    if (!why) {
      continue;
    }
    // Cells that were not masked still hold values of the row before: they are cleared.
    const bool key_is_whole = columns_[i]->part() != Column::Part::key && !columns_[i]->resolves();
    for (std::size_t other = 0; other < row.cells.size(); ++other) {
      if (!key_is_whole || columns_[other]->part() != Column::Part::key) {
        row.cells[other].set_null();
      }
    }
    return {.refusal = Refusal{.column = i, .reason = std::string(text_of(*why))},
            .key_is_whole = key_is_whole,
            .unresolved = *why == Cause::unknown_token};
  }
  return {};
}

}  // namespace abgleich::mask
