#include "report/run_counts.hpp"

#include "core/error.hpp"
#include "core/shallow_json.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace abgleich::report {

nlohmann::ordered_json counts_of(const db::RunRow& run) {
  using Json = nlohmann::ordered_json;
  auto counts = run.counts.empty() ? Json::object() : parse_shallow<Json>(run.counts);
  if (!counts.is_object() || !std::ranges::all_of(counts, &Json::is_object)) {
    throw Failure(Code::integrity,
                  fmt::format("the record of run '{}' in the secondary is damaged", run.id),
                  "see what is damaged: abgleich verify. Nothing was changed");
  }
  return counts;
}

}  // namespace abgleich::report
