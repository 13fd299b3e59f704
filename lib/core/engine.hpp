// The list of engines, with the properties of each that are plain data. Code above lib/db that has
// to know how a database behaves asks this list, and never which engine it is. So one more engine
// is one more line here (what an engine can do is in lib/db/engine/engine.hpp).
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
  /// The database is a file on this machine, and the URL is its path. Otherwise it is a server, and
  /// the URL has a user, hosts and parameters.
  bool is_file = false;
  /// The schema that is meant where none is named; empty: it has no schemas.
  std::string_view schema;

  /// Tables and columns have numbers. They keep them when they are renamed, and no number is used
  /// twice. Otherwise a column is identified by its place.
  bool numbers_objects = false;
  /// A column holds values of its type only, and they are read as such. Otherwise any cell may hold
  /// a value of any type.
  bool has_strict_types = false;
  /// Type and NOT NULL of an existing column can be changed.
  bool alters_columns = false;
  /// Names that differ only in the case of ASCII letters are the same.
  bool folds_names = false;
  /// The engine has the collations NOCASE and RTRIM.
  bool has_nocase = false;

  // Bytes; 0: no limit that matters.
  std::size_t most_name_bytes = 0;
  std::size_t most_key_bytes = 0;  // of all columns of a key together
};

std::span<const EngineTraits> engines();
const EngineTraits& traits(Engine engine);

std::string_view name_of(Engine engine);
std::optional<Engine> engine_from(std::string_view name);

struct UrlScheme {
  const EngineTraits* engine = nullptr;
  std::string_view rest;  // the URL after its scheme
};
/// The engine whose URLs have the scheme of this one; empty where none has it.
std::optional<UrlScheme> scheme_of(std::string_view url);

}  // namespace abgleich
