// A small HTTP server on this machine that remembers what it was asked for, and answers as a test
// wants.
#pragma once

#include "support/local_server.hpp"

#include <array>
#include <functional>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace abgleich::test {

class HttpServer {
 public:
  /// The whole answer to a request; empty: the connection is closed without one.
  using Answer = std::function<std::string(const std::string& path)>;

  explicit HttpServer(Answer answer = [](const std::string&) { return ok(); })
      : answer_(std::move(answer)), server_([this](int client) { this->answer(client); }) {}

  [[nodiscard]] std::string url() const { return "http://" + server_.address(); }

  /// What was asked for since the last call: "GET /path".
  std::vector<std::string> take_asked() {
    const std::lock_guard lock(mutex_);
    return std::exchange(asked_, {});
  }
  /// All that was sent to it, headers too.
  std::string everything() {
    const std::lock_guard lock(mutex_);
    return everything_;
  }

  static std::string ok() { return answer_with("200 OK"); }
  static std::string answer_with(const std::string& status, const std::string& headers = "") {
    return "HTTP/1.1 " + status + "\r\n" + headers +
           "Content-Length: 0\r\nConnection: close\r\n\r\n";
  }

 private:
  void answer(int client) {
    std::string request;
    std::array<char, 4096> buffer{};
    while (request.find("\r\n\r\n") == std::string::npos) {
      const auto got = ::recv(client, buffer.data(), buffer.size(), 0);
      if (got <= 0) {
        return;
      }
      request.append(buffer.data(), static_cast<std::size_t>(got));
    }
    const auto line = request.substr(0, request.find(" HTTP/"));
    {
      const std::lock_guard lock(mutex_);
      asked_.push_back(line);
      everything_ += request;
    }
    LocalServer::send(client, answer_(line.substr(line.find(' ') + 1)));
  }

  Answer answer_;
  std::mutex mutex_;
  std::vector<std::string> asked_;
  std::string everything_;
  LocalServer server_;
};

}  // namespace abgleich::test
