#include "contract/endpoint_url.hpp"

#include "contract/config.hpp"
#include "contract/words.hpp"
#include "core/error.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

namespace abgleich::contract {

namespace {

constexpr std::string_view kNoPasswordHint =
    "delete it from the URL and write password_file = \"…\", or use ~/.pgpass: URLs end up in "
    "process lists and logs";

// Engines that a URL may name and that this build does not have.
constexpr std::array<std::string_view, 5> kNotBuiltIn{"mariadb", "mysql", "firebird", "odbc",
                                                      "oracle"};

UrlProblem password_problem(Role role) {
  return {.message = fmt::format("the URL of the {} holds a password", name_of(role)),
          .hint = std::string(kNoPasswordHint)};
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') {
    return c - '0';
  }
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/// libpq decodes the names of parameters, too: to it, "pass%77ord" is a password.
std::string decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && hex_digit(text[i + 1]) >= 0 &&
        hex_digit(text[i + 2]) >= 0) {
      out += static_cast<char>(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2]));
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

/// Whether every port of a comma-separated list of hosts is a number or missing ("[::1]:5432,db2").
bool ports_are_numbers(std::string_view hosts) {
  while (true) {
    const std::size_t comma = hosts.find(',');
    std::string_view host = hosts.substr(0, comma);
    if (host.starts_with('[')) {
      const std::size_t bracket = host.find(']');
      if (bracket == std::string_view::npos) {
        return false;
      }
      host.remove_prefix(bracket + 1);
      if (!host.empty() && !host.starts_with(':')) {
        return false;
      }
    }
    const std::size_t colon = host.find(':');
    if (colon != std::string_view::npos &&
        !std::ranges::all_of(host.substr(colon + 1), [](char c) { return c >= '0' && c <= '9'; })) {
      return false;
    }
    if (comma == std::string_view::npos) {
      return true;
    }
    hosts.remove_prefix(comma + 1);
  }
}

/// "write postgresql://user@host/database or sqlite:PATH", with every engine that there is.
std::string all_forms() {
  std::string forms;
  for (const auto& engine : engines()) {
    forms += fmt::format("{}{}", forms.empty() ? "write " : " or ", engine.url_form);
  }
  return forms;
}

/// What is wrong with the URL of a server. It is read as libpq reads it (PostgreSQL manual,
/// 34.1.1.2).
std::optional<UrlProblem> server_problem(Role role, const UrlScheme& url) {
  std::string_view rest = url.rest;
  const std::size_t stop = rest.find_first_of("@/");
  if (stop != std::string_view::npos && rest[stop] == '@') {
    if (rest.substr(0, stop).find(':') != std::string_view::npos) {
      return password_problem(role);
    }
    rest.remove_prefix(stop + 1);
  }
  const std::string_view hosts = rest.substr(0, rest.find_first_of("/?#"));
  if (!ports_are_numbers(hosts)) {
    return UrlProblem{
        .message = fmt::format("the URL of the {} has a port that is not a number", name_of(role)),
        .hint = fmt::format("write {}user@host:5432/database, without a password",
                            url.engine->schemes.front())};
  }
  const std::size_t question = rest.find('?');
  std::string_view parameters =
      question == std::string_view::npos ? std::string_view() : rest.substr(question + 1);
  while (!parameters.empty()) {
    const std::size_t end = parameters.find('&');
    const std::string_view parameter = parameters.substr(0, end);
    const std::string name = lower_case(decoded(parameter.substr(0, parameter.find('='))));
    if (name.find("password") != std::string::npos) {
      return password_problem(role);
    }
    parameters.remove_prefix(end == std::string_view::npos ? parameters.size() : end + 1);
  }
  return std::nullopt;
}

std::optional<UrlProblem> file_problem(Role role, const UrlScheme& url) {
  const std::string_view path = url.rest;
  const std::string whose = fmt::format("the URL of the {}", name_of(role));
  const std::string hint = fmt::format("write {}", url.engine->url_form);
  if (path.empty()) {
    return UrlProblem{.message = whose + " has no path", .hint = hint};
  }
  if (lower_case(path) == ":memory:") {
    return UrlProblem{.message = whose + " names a database in memory, which no run finds again",
                      .hint = hint};
  }
  if (path.starts_with("//") && !path.starts_with("///")) {
    return UrlProblem{
        .message = whose + " has two slashes before a path",
        .hint = fmt::format("{} for a path relative to the configuration, or {}/PATH for an "
                            "absolute one",
                            hint, url.engine->schemes.front())};
  }
  if (path.ends_with('/')) {
    return UrlProblem{.message = whose + " names a directory", .hint = hint};
  }
  return std::nullopt;
}

/// "postgresql:// and sqlite:"
std::string usual_schemes() {
  std::string schemes;
  for (const auto& engine : engines()) {
    schemes += fmt::format("{}{}", schemes.empty() ? "" : " and ", engine.schemes.front());
  }
  return schemes;
}

UrlProblem unknown_kind(Role role, std::string_view url) {
  const std::string scheme = lower_case(url.substr(0, url.find(':')));
  if (position_of(scheme, kNotBuiltIn)) {
    return {.message = fmt::format("the URL of the {} is for '{}', and this build has no engine "
                                   "for it",
                                   name_of(role), scheme),
            .hint = fmt::format("this build reads and writes {} only", usual_schemes())};
  }
  // The message does not repeat the scheme: where the colon stands before a password, the text in
  // front of it is a user's name.
  return {.message = fmt::format("the URL of the {} is of no known kind", name_of(role)),
          .hint = all_forms()};
}

}  // namespace

std::variant<Endpoint, UrlProblem> understand_url(Role role, std::string_view url,
                                                  const std::filesystem::path& directory) {
  const bool control = std::ranges::any_of(url, [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) == 0x7F;
  });
  if (control) {
    return UrlProblem{
        .message = fmt::format("the URL of the {} contains a control character", name_of(role)),
        .hint = all_forms()};
  }
  const auto scheme = scheme_of(url);
  if (!scheme) {
    return unknown_kind(role, url);
  }
  const auto& engine = *scheme->engine;
  if (auto problem = engine.is_file ? file_problem(role, *scheme) : server_problem(role, *scheme)) {
    return *std::move(problem);
  }
  Endpoint endpoint;
  endpoint.role = role;
  endpoint.url = url;
  endpoint.engine = engine.engine;
  endpoint.schema = engine.schema;
  if (engine.is_file) {
    endpoint.file = std::filesystem::absolute(directory / scheme->rest);
  }
  return endpoint;
}

std::optional<std::string> parameter_of(const Endpoint& endpoint, std::string_view name) {
  const std::string_view url = endpoint.url;
  const std::size_t question = url.find('?');
  if (traits(endpoint.engine).is_file || question == std::string_view::npos) {
    return std::nullopt;
  }
  std::optional<std::string> found;
  auto parameters = url.substr(question + 1);
  while (!parameters.empty()) {  // the last one counts, as for libpq
    const std::size_t end = parameters.find('&');
    const std::string_view parameter = parameters.substr(0, end);
    const std::size_t equals = parameter.find('=');
    if (equals != std::string_view::npos && decoded(parameter.substr(0, equals)) == name) {
      found = decoded(parameter.substr(equals + 1));
    }
    parameters.remove_prefix(end == std::string_view::npos ? parameters.size() : end + 1);
  }
  return found;
}

std::string user_of(const Endpoint& endpoint) {
  std::string_view rest = endpoint.url;
  const std::size_t scheme = rest.find("://");
  if (traits(endpoint.engine).is_file || scheme == std::string_view::npos) {
    return {};
  }
  rest.remove_prefix(scheme + 3);
  const std::size_t stop = rest.find_first_of("@/");
  return parameter_of(endpoint, "user")
      .value_or(stop != std::string_view::npos && rest[stop] == '@' ? decoded(rest.substr(0, stop))
                                                                    : std::string());
}

Endpoint parse_endpoint(Role role, std::string_view url, const std::filesystem::path& directory) {
  auto understood = understand_url(role, url, directory);
  if (auto* problem = std::get_if<UrlProblem>(&understood)) {
    throw Failure(Code::configuration, std::move(problem->message), std::move(problem->hint));
  }
  return std::get<Endpoint>(std::move(understood));
}

}  // namespace abgleich::contract
