#include "db/postgresql/wire.hpp"

#include <fmt/format.h>
#include <libpq-fe.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string_view>

namespace abgleich::db::postgresql {

namespace {

constexpr std::string_view kVerified = "verify-full";
// Where Debian has them; most other systems have a file or a link there.
constexpr const char* kSystemAuthorities = "/etc/ssl/certs/ca-certificates.crt";

struct FreeOptions {
  void operator()(PQconninfoOption* options) const { PQconninfoFree(options); }
};
using Options = std::unique_ptr<PQconninfoOption, FreeOptions>;

std::string option(const Options& options, std::string_view name) {
  for (const auto* at = options.get(); at != nullptr && at->keyword != nullptr; ++at) {
    if (name == at->keyword && at->val != nullptr) {
      return at->val;
    }
  }
  return {};
}

std::string variable(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? "" : value;
}

/// A socket (nothing, a path, an abstract name) or the loopback interface.
bool on_this_machine(std::string_view host) {
  std::string lower(host);
  std::ranges::transform(lower, lower.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  const bool loopback =
      lower.starts_with("127.") && lower.find_first_not_of("0123456789.") == std::string::npos;
  return lower.empty() || lower.front() == '/' || lower.front() == '@' || lower == "localhost" ||
         lower == "::1" || loopback;
}

bool all_on_this_machine(std::string_view hosts) {
  for (;;) {
    const auto comma = hosts.find(',');
    if (!on_this_machine(hosts.substr(0, comma))) {
      return false;
    }
    if (comma == std::string_view::npos) {
      return true;
    }
    hosts.remove_prefix(comma + 1);
  }
}

bool by_service(const Options& given) {
  return !option(given, "service").empty() || !variable("PGSERVICE").empty();
}

bool stays_here(const Options& given) {
  const auto host = option(given, "host");
  const auto address = option(given, "hostaddr");
  if (by_service(given) && (host.empty() || address.empty())) {
    return false;  // the service file may set what the URL does not
  }
  return all_on_this_machine(host.empty() ? variable("PGHOST") : host) &&
         all_on_this_machine(address.empty() ? variable("PGHOSTADDR") : address);
}

/// Whether libpq finds certificate authorities by itself; a service file may name them, too.
bool authorities_named(const Options& given) {
  std::error_code error;
  const auto home = variable("HOME");
  return !option(given, "sslrootcert").empty() || !variable("PGSSLROOTCERT").empty() ||
         by_service(given) ||
         (!home.empty() && std::filesystem::exists(home + "/.postgresql/root.crt", error));
}

}  // namespace

Wire wire_of(const std::string& url) {
  const Options given(PQconninfoParse(url.c_str(), nullptr));
  Wire wire;
  if (!given || stays_here(given)) {
    return wire;
  }
  const auto asked = option(given, "sslmode");
  if (asked.empty()) {
    wire.sslmode = kVerified;
  }
  std::error_code error;
  const bool verifies = asked.empty() || asked.starts_with("verify-");
  if (verifies && !authorities_named(given) && std::filesystem::exists(kSystemAuthorities, error)) {
    wire.sslrootcert = kSystemAuthorities;
  }
  if (option(given, "gssencmode").empty()) {
    wire.gssencmode = "disable";  // otherwise a Kerberos ticket would replace the certificate
  }
  return wire;
}

std::string weakness_of(const std::string& url) {
  const Options given(PQconninfoParse(url.c_str(), nullptr));
  if (!given || stays_here(given)) {
    return {};
  }
  const auto asked = option(given, "sslmode");
  if (asked.empty() || asked == kVerified) {
    return {};
  }
  const auto what =
      asked == "verify-ca" ? "whoever has any certificate of that authority can pose as the server"
      : asked == "require"
          ? "an attacker between the two can pose as the server, and read everything"
          : "an attacker between the two can read and change everything, passwords too";
  return fmt::format("sslmode={}: {}", asked, what);
}

}  // namespace abgleich::db::postgresql
