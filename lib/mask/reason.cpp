#include "mask/reason.hpp"

namespace abgleich::mask {

std::string_view text_of(Cause cause) {
  switch (cause) {
    case Cause::key_is_null:
      return "the key is NULL";
    case Cause::not_utf8:
      return "not valid UTF-8";
    case Cause::unassigned:
      return "has a character that Unicode does not define";
    case Cause::not_in_codes:
      return "not among the contract's codes";
    case Cause::not_text:
      return "not text";
    case Cause::not_phone:
      return "not a phone number";
    case Cause::not_email:
      return "not an e-mail address";
    case Cause::not_integer:
      return "not an integer";
    case Cause::outside_domain:
      return "outside the domain of integer pseudonyms";
    case Cause::not_date:
      return "not a date";
    case Cause::no_year:
      return "has no year of our era";
    case Cause::beyond:
      return "would be moved beyond the year 9999";
    case Cause::after_reference:
      return "after the reference date";
    case Cause::not_number:
      return "not a number";
    case Cause::too_large:
      return "too large to be rounded";
    case Cause::not_in_map:
      return "not in the contract's map";
    case Cause::no_subject:
      return "its subject is NULL";
    case Cause::implausible:
      return "implausible";
    case Cause::no_token:
      return "not a token";
    case Cause::others_token:
      return "a token that the peer has not made itself";
    case Cause::unknown_token:
      return "a token that stands for nothing here; the peer has to take the row back";
  }
  return {};
}

}  // namespace abgleich::mask
