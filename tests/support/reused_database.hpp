// PostgreSQL databases that one test leaves to the next one of its process: to empty a database
// costs much less than to make and drop one.
#pragma once

#include "support/postgres.hpp"

#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace abgleich::test {

/// A database and the connection that prepares it.
class ReusableDatabase {
 public:
  ReusableDatabase(const char* server, std::string_view with)
      : database_(server, with), connection_(database_.url()), as_new_(look()) {}

  [[nodiscard]] const TemporaryDatabase& database() const { return database_; }
  [[nodiscard]] PlainConnection& connection() { return connection_; }

  /// Empties it. False: it is not as it was when it was new, and only fit to be dropped.
  bool empty() {
    return ++uses_ < kUses && connection_.works() && connection_.complaint(kEmpty).empty() &&
           connection_.complaint("DISCARD ALL").empty() &&
           connection_.complaint("SET client_min_messages = error").empty() && look() == as_new_;
  }

 private:
  static constexpr int kUses = 40;  // then the catalogue is full of rows that are gone
  // Other sessions end; schemas go with all that is in them. A prepared transaction, or anything
  // else that is in the way, is an error.
  static constexpr const char* kEmpty = R"(
RESET ROLE; RESET SESSION AUTHORIZATION; SET lock_timeout = '20s';
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid();
DO $$ DECLARE name text; BEGIN
FOR name IN SELECT nspname FROM pg_namespace
WHERE nspname NOT LIKE 'pg\_%' AND nspname <> 'information_schema' LOOP
EXECUTE format('DROP SCHEMA %I CASCADE', name);
END LOOP;
IF current_setting('server_version_num')::int >= 150000 THEN
CREATE SCHEMA public AUTHORIZATION pg_database_owner; GRANT USAGE ON SCHEMA public TO PUBLIC;
ELSE CREATE SCHEMA public; GRANT ALL ON SCHEMA public TO PUBLIC; END IF;
END $$)";
  // All that could tell two databases apart: what is not the server's own, who may do what, and
  // what is set for it.
  static constexpr const char* kLook = R"(
SELECT concat_ws('|',
(SELECT string_agg(concat_ws(',', nspname, nspowner, nspacl), ';' ORDER BY nspname COLLATE "C")
 FROM pg_namespace WHERE nspname NOT LIKE 'pg\_temp%' AND nspname NOT LIKE 'pg\_toast\_temp%'),
(SELECT string_agg(concat_ws(',', oid, proacl), ';' ORDER BY oid)
 FROM pg_proc WHERE proacl IS NOT NULL OR oid >= 16384),
(SELECT string_agg(concat_ws(',', oid, relacl), ';' ORDER BY oid)
 FROM pg_class WHERE relacl IS NOT NULL OR oid >= 16384),
(SELECT count(*) FROM pg_attribute WHERE attacl IS NOT NULL),
(SELECT count(*) FROM pg_type WHERE oid >= 16384 OR typacl IS NOT NULL),
(SELECT count(*) FROM pg_operator WHERE oid >= 16384),
(SELECT count(*) FROM pg_opclass WHERE oid >= 16384),
(SELECT count(*) FROM pg_collation WHERE oid >= 16384),
(SELECT count(*) FROM pg_conversion WHERE oid >= 16384),
(SELECT count(*) FROM pg_cast WHERE oid >= 16384),
(SELECT count(*) FROM pg_am WHERE oid >= 16384),
(SELECT string_agg(concat_ws(',', lanname, lanacl), ';' ORDER BY oid) FROM pg_language),
(SELECT count(*) FROM pg_extension), (SELECT count(*) FROM pg_default_acl),
(SELECT count(*) FROM pg_event_trigger), (SELECT count(*) FROM pg_largeobject_metadata),
(SELECT count(*) FROM pg_publication), (SELECT count(*) FROM pg_foreign_data_wrapper),
(SELECT count(*) FROM pg_shdepend s WHERE s.dbid = d.oid),
(SELECT count(*) FROM pg_db_role_setting s WHERE s.setdatabase = d.oid),
(SELECT count(*) FROM pg_replication_slots s WHERE s.datoid = d.oid),
(SELECT count(*) FROM pg_prepared_xacts s WHERE s.database = d.datname),
d.datname, d.datdba, d.datacl, d.datallowconn, d.datconnlimit, d.datistemplate)
FROM pg_database d WHERE d.datname = current_database())";

  std::string look() { return connection_.run(kLook); }

  TemporaryDatabase database_;
  PlainConnection connection_;
  std::string as_new_;
  int uses_ = 0;
};

/// The empty databases of this process, for the next tests. A test that looks at the files of the
/// server forbids it: what was in a database before leaves traces there.
class EmptyDatabases {
 public:
  static EmptyDatabases& of_process() {
    static EmptyDatabases all;
    return all;
  }

  void forbid() { allowed_ = false; }
  std::unique_ptr<ReusableDatabase> take(const char* server, std::string_view with) {
    auto& left = left_[{server, std::string(with)}];
    if (left.empty()) {
      return std::make_unique<ReusableDatabase>(server, with);
    }
    auto one = std::move(left.back());
    left.pop_back();
    return one;
  }
  void give(std::unique_ptr<ReusableDatabase> used, const char* server, std::string_view with) {
    if (allowed_ && std::getenv("ABGLEICH_KEEP_TEST_DB") == nullptr && used->empty()) {
      left_[{server, std::string(with)}].push_back(std::move(used));
    }
  }

 private:
  std::map<std::pair<std::string, std::string>, std::vector<std::unique_ptr<ReusableDatabase>>>
      left_;
  bool allowed_ = true;
};

}  // namespace abgleich::test
