#include "db/secondary/stand_ins.hpp"

#include "db/engine/dialect.hpp"

namespace abgleich::db {

Names StandIns::names(const Relation& relation) const {
  const auto& dialect = *session_.dialect;
  return {.data = has_data(relation) ? temporary_name(dialect, "data", relation.id)
                                     : dialect.table(session_.schema, relation.name),
          .base = has_base(relation) ? temporary_name(dialect, "base", relation.id)
                                     : session_.own_table(base_name(relation)),
          .stage = temporary_name(dialect, "stage", relation.id),
          .plan = temporary_name(dialect, "plan", relation.id),
          .gone = temporary_name(dialect, "gone", relation.id),
          .fill = temporary_name(dialect, "fill", relation.id)};
}

}  // namespace abgleich::db
