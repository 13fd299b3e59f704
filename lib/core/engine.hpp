// The engines that there are, and what of each is plain data. Who has to know above lib/db how a
// database behaves asks this list, and never which engine it is: so one more engine is one more
// line here (and what it can do, in lib/db/engine/engine.hpp).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace abgleich {

enum class Engine : std::uint8_t { postgresql, sqlite };

struct EngineTraits {
  Engine engine;
  std::string_view name;   // in catalogues and in what is stored: never to be changed
  std::string_view title;  // for people

  /// What its URLs begin with, the usual one first, and how such a URL is written.
  std::span<const std::string_view> schemes;
  std::string_view url_form;
  /// A file on this machine, and the URL its path. Otherwise a server, and the URL has a user,
  /// hosts and parameters.
  bool is_file = false;
  /// The schema that is meant where none is named; empty: it has no schemas.
  std::string_view schema;

  /// Tables and columns have numbers, which they keep when they are renamed and no other ever gets.
  /// Otherwise a column is known by its place.
  bool numbers_objects = false;
  /// A column holds values of its type and no others, and they are read as such. Otherwise any cell
  /// may hold anything.
  bool has_strict_types = false;
  /// Type and NOT NULL of a column that is there can be changed.
  bool alters_columns = false;
  /// Names are the same whose ASCII letters differ in case only.
  bool folds_names = false;
  /// NOCASE and RTRIM are collations of its own.
  bool has_nocase = false;

  // Bytes; 0: no limit that matters.
  std::size_t most_name_bytes = 0;
  std::size_t most_key_bytes = 0;  // of all columns of a key together
};

std::span<const EngineTraits> engines();
const EngineTraits& traits(Engine engine);

std::string_view name_of(Engine engine);
std::optional<Engine> engine_from(std::string_view name);

/// The engine whose URLs begin as this one does. Empty: none of them.
struct UrlScheme {
  const EngineTraits* engine = nullptr;
  std::string_view rest;  // of the URL, behind the scheme
};
std::optional<UrlScheme> scheme_of(std::string_view url);

}  // namespace abgleich
