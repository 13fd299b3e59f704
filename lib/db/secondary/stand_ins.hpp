// What a dry run works on: temporary stand-ins for tables, columns and bases that the secondary
// does not have yet, since it creates nothing.
#pragma once

#include "db/engine/clauses.hpp"
#include "db/engine/relation.hpp"
#include "db/engine/session.hpp"

#include <cstdint>
#include <set>

namespace abgleich::db {

class StandIns {
 public:
  explicit StandIns(const Session& session) : session_(session) {}

  /// From here on the relation's data, or its base, is the temporary table of that name.
  void add_data(const Relation& relation) { data_.insert(relation.id); }
  void add_base(const Relation& relation) { base_.insert(relation.id); }

  [[nodiscard]] bool has_data(const Relation& relation) const {
    return data_.contains(relation.id);
  }
  [[nodiscard]] bool has_base(const Relation& relation) const {
    return base_.contains(relation.id);
  }
  /// Whether neither its data nor its base is one.
  [[nodiscard]] bool none(const Relation& relation) const {
    return !has_data(relation) && !has_base(relation);
  }

  [[nodiscard]] Names names(const Relation& relation) const;

 private:
  const Session& session_;
  std::set<std::int64_t> data_;  // by the relation's number
  std::set<std::int64_t> base_;
};

}  // namespace abgleich::db
