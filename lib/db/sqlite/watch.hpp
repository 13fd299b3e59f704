// The position of a SQLite file. First, the change counter in its header
// (https://www.sqlite.org/fileformat.html, 1.3.7): every transaction increments it (in WAL mode
// only one that changes the first page), and none decrements it. Second, of every table with
// AUTOINCREMENT, the largest key that was ever given. A file that was made anew (VACUUM INTO,
// .dump) has a counter of its own, and cannot be told from an older copy.
#pragma once

#include "db/engine/position.hpp"

namespace abgleich::db::sqlite {

class FileWatch final : public Watch {
 public:
  void in_snapshot(Session& session) override;
};

}  // namespace abgleich::db::sqlite
