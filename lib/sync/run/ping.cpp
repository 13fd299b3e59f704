#include "sync/run/ping.hpp"

#include "contract/alert.hpp"

#include <fmt/format.h>

#include <curl/curl.h>
#include <memory>

namespace abgleich::sync {

namespace {

constexpr long kMilliseconds = 5000;  // for everything: name, connection, answer

/// Ignores the body of the answer, and stops the transfer where it is too long.
std::size_t drop(char* /*bytes*/, std::size_t size, std::size_t count, void* user) {
  constexpr std::size_t kMost = std::size_t{64} << 10U;
  auto& taken = *static_cast<std::size_t*>(user);
  taken += size * count;
  return taken <= kMost ? size * count : 0;
}

using Easy = std::unique_ptr<CURL, decltype(&curl_easy_cleanup)>;

/// Sets every option that differs from libcurl's default; false: one cannot be set.
bool prepare(CURL* easy, const std::string& url, std::size_t& taken) {
  const bool local = url.starts_with("http://");
  return curl_easy_setopt(easy, CURLOPT_URL, url.c_str()) == CURLE_OK &&
         curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, local ? "http" : "https") == CURLE_OK &&
         curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
         curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, kMilliseconds) == CURLE_OK &&
         curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
         curl_easy_setopt(easy, CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED)) == CURLE_OK &&
         curl_easy_setopt(easy, CURLOPT_USERAGENT, "abgleich") == CURLE_OK &&
         curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, drop) == CURLE_OK &&
         curl_easy_setopt(easy, CURLOPT_WRITEDATA, static_cast<void*>(&taken)) == CURLE_OK &&
         // no proxy for a ping that stays on this machine
         (!local || curl_easy_setopt(easy, CURLOPT_PROXY, "") == CURLE_OK);
}

/// Why it failed; empty: it did not. Does not use CURLOPT_ERRORBUFFER, which can have the URL.
std::string ask(const std::string& url) {
  constexpr long kRedirects = 300;
  const Easy easy(curl_easy_init(), curl_easy_cleanup);
  std::size_t taken = 0;
  if (!easy || !prepare(easy.get(), url, taken)) {
    return "libcurl cannot be used";
  }
  if (const auto done = curl_easy_perform(easy.get()); done != CURLE_OK) {
    return curl_easy_strerror(done);
  }
  long status = 0;
  curl_easy_getinfo(easy.get(), CURLINFO_RESPONSE_CODE, &status);
  return status < kRedirects ? std::string() : fmt::format("it was answered with {}", status);
}

}  // namespace

std::string ping_url(const std::string& url, const std::string& suffix) {
  if (suffix.empty()) {
    return url;
  }
  const auto query = url.find('?');
  auto path = url.substr(0, query);
  path += path.ends_with('/') ? suffix : "/" + suffix;
  return query == std::string::npos ? path : path + url.substr(query);
}

std::string ping(const std::string& url, const std::string& suffix) {
  static const bool ready = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
  const auto why = ready ? ask(ping_url(url, suffix)) : std::string("libcurl cannot be used");
  return why.empty() ? why
                     : fmt::format("the ping to '{}' failed: {}", contract::host_of_ping(url), why);
}

}  // namespace abgleich::sync
