#include "db/postgresql/another_session.hpp"

#include <string_view>
#include <vector>

namespace abgleich::db::postgresql {

namespace {

struct FreeOptions {
  void operator()(PQconninfoOption* options) const { PQconninfoFree(options); }
};

/// Seconds: a better message is not worth a long wait.
constexpr const char* kTimeout = "3";

}  // namespace

AnotherSession connect_like(PGconn* like) {
  const std::unique_ptr<PQconninfoOption, FreeOptions> options(PQconninfo(like));
  std::vector<const char*> keywords;
  std::vector<const char*> values;
  for (const auto* at = options.get(); at != nullptr && at->keyword != nullptr; ++at) {
    if (at->val != nullptr && std::string_view(at->keyword) != "connect_timeout") {
      keywords.push_back(at->keyword);
      values.push_back(at->val);
    }
  }
  keywords.insert(keywords.end(), {"connect_timeout", nullptr});
  values.insert(values.end(), {kTimeout, nullptr});
  return AnotherSession(PQconnectdbParams(keywords.data(), values.data(), 0));
}

}  // namespace abgleich::db::postgresql
