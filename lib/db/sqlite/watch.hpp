// The position of a SQLite file: the change counter in its header
// (https://www.sqlite.org/fileformat.html, 1.3.7), which every transaction increments, in WAL mode
// only those that change the first page, and never any decrements; and of tables with AUTOINCREMENT
// the largest key that was ever given. A file that was made anew (VACUUM INTO, .dump) has a counter
// of its own: it cannot be told from an older one.
#pragma once

#include "db/engine/position.hpp"

namespace abgleich::db::sqlite {

class FileWatch final : public Watch {
 public:
  void in_snapshot(Session& session) override;
};

}  // namespace abgleich::db::sqlite
