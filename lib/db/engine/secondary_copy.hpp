// A copy of a secondary in one file, for backups: what to restore, and a database beside the
// original that a copy was restored to.
#pragma once

#include "core/endpoint.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace abgleich::db {

struct CopyToRestore {
  std::filesystem::path file;  // what Backend::copy_out has written
  Endpoint original;           // the secondary: how to connect, schema, books. It is not written
  /// An empty database to restore to, which stays. Empty: one is made, and dropped at the end.
  std::optional<Endpoint> to;
};

class RestoredCopy {
 public:
  RestoredCopy() = default;
  RestoredCopy(const RestoredCopy&) = delete;
  RestoredCopy& operator=(const RestoredCopy&) = delete;
  /// Drops the database, unless it was given. REQUIRES: nobody is connected to it any more.
  virtual ~RestoredCopy() = default;

  [[nodiscard]] virtual const Endpoint& endpoint() const = 0;
  /// How many statements of the copy could not be run, such as a foreign key to a table that is not
  /// in it.
  [[nodiscard]] virtual std::int64_t left_out() const { return 0; }
  /// Drops the database now. Returns the name of one that could not be dropped; empty: it is gone,
  /// or was given. REQUIRES: nobody uses `endpoint` any more.
  [[nodiscard]] virtual std::string end() { return {}; }
};

}  // namespace abgleich::db
