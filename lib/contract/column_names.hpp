// What a column's name says about what is in it: the first guess of `abgleich init`.
#pragma once

#include <string_view>

namespace abgleich::contract {

/// Whether the name, German or English, sounds like something about a person: names, addresses,
/// numbers, coordinates, free text. Errs on the side of yes.
bool sounds_personal(std::string_view column);

/// Whether the name sounds like a birth date (or another part of one).
bool sounds_like_birth(std::string_view column);

/// Whether the name sounds like something that few values fill: a sex, a postcode, a birthday, an
/// age.
bool sounds_guessable(std::string_view column);

/// Whether a table of that name sounds like a list of few kinds of something: sexes, districts,
/// types.
bool sounds_like_lookup(std::string_view table);

/// Whether the name is one of those that date the record, not what it is about ("changedate",
/// "created_at", "erstellt_am").
bool dates_the_record(std::string_view column);

/// Whether, by its name, it says when the row was made, which stays for as long as the row does.
bool dates_the_making(std::string_view column);

/// Whether, by its name, it says when somebody did something with the record or for it: reported,
/// entered, received, ordered.
bool dates_a_deed(std::string_view column);

}  // namespace abgleich::contract
