#include "core/error.hpp"
#include "merge/merge.hpp"

#include <array>

namespace abgleich::merge {

namespace {

constexpr std::array<std::string_view, kCases> kNames{
    "unchanged",           "secondary_updated", "secondary_deleted",   "primary_updated",
    "updated_alike",       "both_updated",      "updated_and_deleted", "primary_deleted",
    "deleted_and_updated", "both_deleted",      "primary_inserted",    "secondary_only",
    "inserted_alike",      "both_inserted",
};

Case with_base(const Digest& base, const std::optional<Digest>& primary,
               const std::optional<Digest>& secondary) {
  if (!primary && !secondary) {
    return Case::both_deleted;
  }
  if (!primary) {
    return *secondary == base ? Case::primary_deleted : Case::deleted_and_updated;
  }
  if (!secondary) {
    return *primary == base ? Case::secondary_deleted : Case::updated_and_deleted;
  }
  if (*primary == base) {
    return *secondary == base ? Case::unchanged : Case::secondary_updated;
  }
  if (*secondary == base) {
    return Case::primary_updated;
  }
  return *primary == *secondary ? Case::updated_alike : Case::both_updated;
}

}  // namespace

std::string_view name_of(Case happened) {
  return kNames.at(static_cast<std::size_t>(happened));
}

Case classify(const Three<std::optional<Digest>>& digests) {
  if (digests.base) {
    return with_base(*digests.base, digests.primary, digests.secondary);
  }
  if (digests.primary && digests.secondary) {
    return *digests.primary == *digests.secondary ? Case::inserted_alike : Case::both_inserted;
  }
  if (digests.primary) {
    return Case::primary_inserted;
  }
  if (digests.secondary) {
    return Case::secondary_only;
  }
  throw Failure{Code::bug, "a row that is nowhere cannot be classified"};
}

}  // namespace abgleich::merge
