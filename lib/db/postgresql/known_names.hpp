// Which of the names in a server's error are names: RAISE … USING COLUMN puts anything there, a
// person's name too.
#pragma once

#include <libpq-fe.h>

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>

namespace abgleich::db::postgresql {

/// A name is one where the server's catalogue has it, or where the statement that failed has it in
/// quotes: we write only names there, those of the contract and of the catalogue.
class KnownNames {
 public:
  enum class Kind : std::uint8_t { schema, table, column, constraint };

  /// Of the statement that is sent next.
  void expect(std::string_view statement) { statement_ = statement; }

  /// Asks over a connection of its own, since the one that failed answers nothing any more; each
  /// name once. What cannot be asked is no name.
  bool knows(PGconn* connection, Kind kind, const std::string& name);

 private:
  std::string statement_;
  std::map<std::pair<Kind, std::string>, bool> asked_;
};

}  // namespace abgleich::db::postgresql
