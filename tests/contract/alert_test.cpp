#include "contract/refusal.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>

namespace abgleich::contract {

namespace {

namespace fs = std::filesystem;

std::string with(const std::string& alert) {
  return "[primary]\nurl = \"sqlite:a.db\"\n[secondary]\nurl = \"sqlite:b.db\"\n[alert]\n" + alert +
         "\n";
}

}  // namespace

TEST_CASE("[alert] is read, and is nothing where it is not there") {
  const auto none = parse_config(with(""), "/etc/abgleich/kpm.toml").alert;
  CHECK_FALSE(none.max_age);
  CHECK(none.metrics.empty());
  CHECK(none.ping.empty());
  const auto alert = parse_config(with("max_age = \"30m\"\nmetrics = \"a.prom\"\n"
                                       "ping = \"https://hc-ping.com/a1b2?create=1\""),
                                  "/etc/abgleich/kpm.toml")
                         .alert;
  CHECK(alert.max_age == std::chrono::minutes(30));
  CHECK(alert.metrics == "/etc/abgleich/a.prom");
  CHECK(alert.ping == "https://hc-ping.com/a1b2?create=1");
}

TEST_CASE("[alert] what cannot be meant is refused") {
  CHECK(contains(config_refusal(with("max_age = \"0\"")).message, "max_age"));
  CHECK(contains(config_refusal(with("max_age = 30")).message, "'max_age' is not a text"));
  CHECK(contains(config_refusal(with("metrics = \"\"")).message, "metrics"));
  CHECK(contains(config_refusal(with("mail = \"x\"")).message, "unknown key 'mail' in [alert]"));
}

TEST_CASE("a URL to ping is encrypted, or this machine's, and no refusal repeats it") {
  for (const std::string url :
       {"https://hc-ping.com/5ecret", "https://h.example:8443/a/5ecret/", "http://localhost/x",
        "http://localhost:8000/x", "http://127.0.0.1:1/", "http://[::1]:8000/x"}) {
    CAPTURE(url);
    CHECK(parse_config(with("ping = \"" + url + "\""), "abgleich.toml").alert.ping == url);
  }
  for (const std::string url :
       {"http://hc-ping.com/5ecret", "http://localhost.example/5ecret",
        "http://127.0.0.1.example/5ecret", "http://localhost@evil.example/5ecret",
        "https://user:5ecret@h.example/", "ftp://h/5ecret", "file:///etc/5ecret", "https:///5ecret",
        "5ecret", "", "https://h/5ecret#x", "https://h/5e cret", "https://h\\\\@localhost/5ecret",
        "https://h/5ecret\\n", "HTTPS://h/5ecret"}) {
    CAPTURE(url);
    const auto error = config_refusal(with("ping = \"" + url + "\""));
    CHECK(error.message.find("5e") == std::string::npos);
    CHECK(error.hint.find("5e") == std::string::npos);
  }
}

TEST_CASE("the host of a URL to ping is what messages have of it") {
  CHECK(host_of_ping("https://hc-ping.com/5ecret") == "hc-ping.com");
  CHECK(host_of_ping("https://h.example:8443/5ecret") == "h.example");
  CHECK(host_of_ping("http://[::1]:8000/5ecret") == "[::1]");
  CHECK(host_of_ping("https://h.example?5ecret") == "h.example");
}

TEST_CASE("several pairings: a profile is a file of the directory, and nothing else") {
  const auto directory = fs::temp_directory_path() / "abgleich_profiles_test";
  fs::remove_all(directory);
  fs::create_directories(directory);
  const auto write = [&](const std::string& name, const std::string& text) {
    std::ofstream(directory / name) << text;
  };
  CHECK(contains(refusal_of([&] { static_cast<void>(all_profiles(directory)); }).message,
                 "no configuration in"));
  write("b.toml", with(""));
  write("a.toml", "this is [no TOML");
  write("contract.toml", "format = 1\n");
  write(".hidden.toml", with(""));
  write("b.toml.bak", with(""));
  CHECK(all_profiles(directory) ==
        std::vector<fs::path>{directory / "a.toml", directory / "b.toml"});
  CHECK(find_profile(directory, "b") == directory / "b.toml");
  CHECK(contains(refusal_of([&] { static_cast<void>(find_profile(directory, "c")); }).message,
                 "which --profile names"));
  for (const std::string name : {"", "../b", "/etc/passwd", ".hidden", "."}) {
    CAPTURE(name);
    try {
      static_cast<void>(find_profile(directory, name));
      FAIL("was not refused");
    } catch (const Failure& failure) {
      CHECK(failure.error().code == Code::usage);
    }
  }
  CHECK(contains(refusal_of([&] { static_cast<void>(all_profiles(directory / "none")); }).message,
                 "no configuration in"));
  CHECK(name_of_pairing("/etc/abgleich/kpm.toml") == "kpm");
  fs::remove_all(directory);
}

}  // namespace abgleich::contract
