#include "core/error.hpp"
#include "merge/merge.hpp"

#include <array>

namespace abgleich::merge {

namespace {

constexpr std::array<std::string_view, kFates> kNames{
    "unchanged",           "secondary_updated", "secondary_deleted",   "primary_updated",
    "updated_alike",       "both_updated",      "updated_and_deleted", "primary_deleted",
    "deleted_and_updated", "both_deleted",      "primary_inserted",    "secondary_only",
    "inserted_alike",      "both_inserted",
};

Fate with_base(const Digest& base, const std::optional<Digest>& primary,
               const std::optional<Digest>& secondary) {
  if (!primary && !secondary) {
    return Fate::both_deleted;
  }
  if (!primary) {
    return *secondary == base ? Fate::primary_deleted : Fate::deleted_and_updated;
  }
  if (!secondary) {
    return *primary == base ? Fate::secondary_deleted : Fate::updated_and_deleted;
  }
  if (*primary == base) {
    return *secondary == base ? Fate::unchanged : Fate::secondary_updated;
  }
  if (*secondary == base) {
    return Fate::primary_updated;
  }
  return *primary == *secondary ? Fate::updated_alike : Fate::both_updated;
}

}  // namespace

std::string_view name_of(Fate fate) {
  return kNames.at(static_cast<std::size_t>(fate));
}

Fate classify(const Three<std::optional<Digest>>& digests) {
  if (digests.base) {
    return with_base(*digests.base, digests.primary, digests.secondary);
  }
  if (digests.primary && digests.secondary) {
    return *digests.primary == *digests.secondary ? Fate::inserted_alike : Fate::both_inserted;
  }
  if (digests.primary) {
    return Fate::primary_inserted;
  }
  if (digests.secondary) {
    return Fate::secondary_only;
  }
  throw Failure{Code::bug, "a row that is nowhere cannot be classified"};
}

}  // namespace abgleich::merge
