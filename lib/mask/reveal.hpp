// Pseudonyms back to values, for those who may: every value is masked again until the pseudonyms
// that are asked for come out. There is no table of them anywhere.
#pragma once

#include "contract/contract.hpp"
#include "core/type.hpp"
#include "core/value.hpp"
#include "mask/keyring.hpp"
#include "mask/pseudonym.hpp"

#include <cstddef>
#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace abgleich::mask {

/// What a text looks like, as a pseudonym.
struct Form {
  enum class Kind : std::uint8_t { text, uuid, integer, none };
  Kind kind = Kind::none;
  int epoch = 0;  // that a text pseudonym names
};
Form form_of(std::string_view pseudonym);

/// The kind of pseudonym that a column has.
Form::Kind form_of(const contract::Column& column, const Type& source);

/// Looks for pseudonyms among the values of some pseudonym columns of one table.
class Reveal {
 public:
  /// Tells of a value by its column's index. The value leaves unmasked, and the only way that it
  /// may go is to the person who has asked.
  using Found =
      std::function<void(const std::string& pseudonym, std::size_t column, std::string_view value)>;

  Reveal(const std::vector<const contract::Column*>& columns, const std::vector<Type>& types,
         const Keyring& keyring, std::set<std::string> wanted);

  void look(const RawRow& row, const Found& found);

 private:
  std::vector<Type> types_;
  std::vector<Pseudonymiser> pseudonymisers_;
  std::set<std::string> wanted_;
  Value unpadded_, pseudonym_;
};

}  // namespace abgleich::mask
