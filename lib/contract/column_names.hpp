// What the name of a column or a table suggests about its content: the first guess of `abgleich
// init`.
#pragma once

#include <string_view>

namespace abgleich::contract {

/// Whether the name, German or English, sounds like something about a person: names, addresses,
/// numbers, coordinates, free text. In doubt, yes.
bool sounds_personal(std::string_view column);

/// Whether the name sounds like a birth date or a part of one.
bool sounds_like_birth(std::string_view column);

/// Whether the name sounds like something with few different values: a sex, a postcode, a birthday,
/// an age.
bool sounds_guessable(std::string_view column);

/// Whether the table sounds like a short list of kinds of something: sexes, districts, types.
bool sounds_like_lookup(std::string_view table);

/// Whether the name says that the column dates the record itself, not what the record is about
/// ("changedate", "created_at", "erstellt_am").
bool dates_the_record(std::string_view column);

/// Whether the name says that the column holds when the row was made, which never changes.
bool dates_the_making(std::string_view column);

/// Whether the name says that the column holds when somebody did something with the record:
/// reported, entered, received, ordered.
bool dates_a_deed(std::string_view column);

}  // namespace abgleich::contract
