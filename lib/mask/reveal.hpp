// From pseudonyms back to values, for those who are allowed to: every value is masked again until
// the pseudonyms that are asked for are found. No table of them exists anywhere.
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

/// Which kind of pseudonym a text looks like.
struct Form {
  enum class Kind : std::uint8_t { text, uuid, integer, token, none };
  Kind kind = Kind::none;
  int epoch = 0;  // that a text pseudonym or a token names
};
Form form_of(std::string_view pseudonym);

/// The kind of pseudonym that a column has.
Form::Kind form_of(const contract::Column& column, const Type& source);

/// Looks for pseudonyms among the values of some pseudonym columns of one table.
class Reveal {
 public:
  /// Called with a pseudonym that was asked for, the index of its column and its value. The value
  /// is not masked: it may be given only to the person who has asked.
  using Found =
      std::function<void(const std::string& pseudonym, std::size_t column, std::string_view value)>;

  using IsWanted = std::function<bool(const std::string& pseudonym)>;

  Reveal(const std::vector<const contract::Column*>& columns, const std::vector<Type>& types,
         const Keyring& keyring, IsWanted is_wanted);
  /// For a few pseudonyms.
  Reveal(const std::vector<const contract::Column*>& columns, const std::vector<Type>& types,
         const Keyring& keyring, std::set<std::string> wanted);

  /// Calls `found` for every cell of the row that has a wanted pseudonym.
  void look(const RawRow& row, const Found& found);

 private:
  std::vector<Type> types_;
  std::vector<Pseudonymiser> pseudonymisers_;
  IsWanted is_wanted_;
  Value unpadded_, pseudonym_;
};

}  // namespace abgleich::mask
