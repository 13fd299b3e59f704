#include "sync/run/ping.hpp"

#include "support/http_server.hpp"

#include <doctest/doctest.h>

using abgleich::sync::ping;
using abgleich::sync::ping_url;
using abgleich::test::HttpServer;

TEST_CASE("ping: what comes behind the path stands before the query") {
  CHECK(ping_url("https://h/a", "") == "https://h/a");
  CHECK(ping_url("https://h/a", "start") == "https://h/a/start");
  CHECK(ping_url("https://h/a/", "30") == "https://h/a/30");
  CHECK(ping_url("https://h/a?create=1", "start") == "https://h/a/start?create=1");
  CHECK(ping_url("https://h", "start") == "https://h/start");
}

TEST_CASE("ping: a service is asked, and any answer below 300 is good") {
  for (const std::string status : {"200 OK", "201 Created", "204 No Content"}) {
    HttpServer server([&](const std::string&) { return HttpServer::answer_with(status); });
    CHECK(ping(server.url() + "/5ecret", "start").empty());
    CHECK(server.take_asked() == std::vector<std::string>{"GET /5ecret/start"});
  }
}

TEST_CASE("ping: what fails is told with the host, and never with the path") {
  for (const std::string status : {"404 Not Found", "500 Internal Server Error"}) {
    HttpServer server([&](const std::string&) { return HttpServer::answer_with(status); });
    const auto why = ping(server.url() + "/5ecret", "");
    CHECK(why == "the ping to '127.0.0.1' failed: it was answered with " + status.substr(0, 3));
  }
  std::string gone;
  {
    const HttpServer server;
    gone = server.url();
  }
  const auto why = ping(gone + "/5ecret", "");
  CHECK(why.starts_with("the ping to '127.0.0.1' failed: "));
  CHECK(why.find("5ecret") == std::string::npos);
  HttpServer mute([](const std::string&) { return std::string(); });
  CHECK_FALSE(ping(mute.url() + "/5ecret", "").empty());
  CHECK_FALSE(ping("http://[::1]:1/5ecret", "").empty());
}

TEST_CASE("ping: no redirect is followed, to whatever it leads") {
  HttpServer other;
  for (const auto& to : {other.url() + "/elsewhere", std::string("file:///etc/passwd"),
                         std::string("ftp://127.0.0.1/")}) {
    HttpServer server([&](const std::string&) {
      return HttpServer::answer_with("302 Found", "Location: " + to + "\r\n");
    });
    CHECK(ping(server.url(), "").find("302") != std::string::npos);
  }
  CHECK(other.take_asked().empty());
}

TEST_CASE("ping: an endless answer ends") {
  HttpServer server([](const std::string&) {
    return "HTTP/1.1 200 OK\r\n\r\n" + std::string(std::size_t{1} << 20U, 'x');
  });
  CHECK_FALSE(ping(server.url(), "").empty());
}

TEST_CASE("ping: a proxy is not asked for what stays on this machine") {
  HttpServer proxy;
  HttpServer server;
  ::setenv("http_proxy", proxy.url().c_str(), 1);
  ::setenv("ALL_PROXY", proxy.url().c_str(), 1);
  CHECK(ping(server.url() + "/a", "").empty());
  ::unsetenv("http_proxy");
  ::unsetenv("ALL_PROXY");
  CHECK(proxy.take_asked().empty());
  CHECK(server.take_asked().size() == 1);
}
