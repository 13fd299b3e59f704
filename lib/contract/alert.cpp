#include "contract/alert.hpp"

#include "contract/include.hpp"
#include "contract/interval.hpp"

#include <algorithm>
#include <string_view>

namespace abgleich::contract {

namespace {

constexpr std::string_view kPingExample = "ping = \"https://hc-ping.com/UUID\"";

/// Where the authority of a URL begins; npos where it has neither of the two schemes.
std::size_t authority_at(std::string_view url) {
  for (const std::string_view scheme : {"https://", "http://"}) {
    if (url.starts_with(scheme)) {
      return scheme.size();
    }
  }
  return std::string_view::npos;
}

std::string_view authority_of(std::string_view url) {
  const auto at = authority_at(url);
  return at == std::string_view::npos ? std::string_view()
                                      : url.substr(at, url.find_first_of("/?#", at) - at);
}

bool this_machine(std::string_view host) {
  return host == "localhost" || host == "127.0.0.1" || host == "[::1]";
}

/// What is wrong with the URL, without any part of it; empty: nothing.
std::string_view wrong_with(const std::string& url) {
  const auto plain = [](char c) { return c > ' ' && c < '\x7f' && c != '\\' && c != '#'; };
  if (!std::ranges::all_of(url, plain)) {
    return "the URL to ping has a character that no such URL has";
  }
  if (authority_of(url).empty()) {
    return "the URL to ping is not a URL";
  }
  if (authority_of(url).find('@') != std::string_view::npos) {
    return "the URL to ping has a user or a password in it";
  }
  if (url.starts_with("http://") && !this_machine(host_of_ping(url))) {
    return "the URL to ping is not encrypted, and whoever reads it can pretend that all is well";
  }
  return {};
}

std::string ping_of(const Member& member) {
  const std::string& url = text_of(member, kPingExample);
  if (const auto wrong = wrong_with(url); !wrong.empty()) {
    refuse(member.value.place, wrong,
           "write an https:// URL (http:// only for localhost): " + std::string(kPingExample));
  }
  return url;
}

}  // namespace

std::string host_of_ping(const std::string& url) {
  const auto authority = authority_of(url);
  const auto from = authority.starts_with('[') ? authority.find(']') : 0;
  return std::string(authority.substr(0, authority.find(':', from)));
}

Alert alert_of(const Node& section) {
  Alert alert;
  if (const Member* max_age = section.find("max_age")) {
    constexpr std::string_view kExample = "max_age = \"30m\"";
    alert.max_age = interval_of(*max_age, kExample);
    if (alert.max_age->count() == 0) {
      refuse(max_age->value.place, "'max_age' has to be longer than 0",
             "write a time of several runs: " + std::string(kExample));
    }
  }
  if (const Member* metrics = section.find("metrics")) {
    alert.metrics =
        directory_of(metrics->value.place) /
        name_of(*metrics, "metrics = \"/var/lib/prometheus/node-exporter/abgleich.prom\"");
  }
  if (const Member* ping = section.find("ping")) {
    alert.ping = ping_of(*ping);
  }
  return alert;
}

}  // namespace abgleich::contract
