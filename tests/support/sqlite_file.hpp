// SQLite files for tests, made by sqlite3 itself, so that the tested code does not make its own
// input.
#pragma once

#include "core/endpoint.hpp"
#include "db/engine/session.hpp"

#include <sqlite3.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>

namespace abgleich::test {

/// Runs a script on a file, which is created if it is missing.
inline void run_sqlite(const std::filesystem::path& file, const std::string& sql) {
  sqlite3* database = nullptr;
  std::string problem;
  if (sqlite3_open(file.c_str(), &database) != SQLITE_OK ||
      sqlite3_exec(database, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) {
    problem = sqlite3_errmsg(database);
  }
  sqlite3_close(database);
  if (!problem.empty()) {
    throw std::runtime_error(problem + " in: " + sql);
  }
}

inline Endpoint sqlite_endpoint(const std::filesystem::path& file, Role role = Role::primary) {
  Endpoint endpoint;
  endpoint.role = role;
  endpoint.engine = Engine::sqlite;
  endpoint.url = "sqlite:" + file.string();
  endpoint.file = file;
  return endpoint;
}

inline db::Session open_for_writing(const std::filesystem::path& file) {
  return db::open(sqlite_endpoint(file, Role::secondary), db::Access::write);
}

inline db::Session open_for_reading(const std::filesystem::path& file) {
  return db::open(sqlite_endpoint(file), db::Access::read);
}

inline std::string bytes_of(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

}  // namespace abgleich::test
