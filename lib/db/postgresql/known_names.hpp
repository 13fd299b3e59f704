// Which of the names in a server's error really are names of objects: RAISE … USING COLUMN can put
// any text there, also a person's name.
#pragma once

#include <libpq-fe.h>

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>

namespace abgleich::db::postgresql {

/// A text counts as a name if the server's catalogue has it, or if the failed statement has it in
/// double quotes: there we write only names, of the contract and of the catalogue.
class KnownNames {
 public:
  enum class Kind : std::uint8_t { schema, table, column, constraint };

  /// To be called before a statement is sent.
  void expect(std::string_view statement) { statement_ = statement; }

  /// Asks over a connection of its own, since the one that failed can answer nothing; each name
  /// once. False where it cannot ask.
  bool knows(PGconn* connection, Kind kind, const std::string& name);

 private:
  std::string statement_;
  std::map<std::pair<Kind, std::string>, bool> asked_;
};

}  // namespace abgleich::db::postgresql
