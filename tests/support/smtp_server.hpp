// A small mail server on this machine that keeps the letters it is given.
#pragma once

#include "support/local_server.hpp"

#include <array>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace abgleich::test {

class SmtpServer {
 public:
  SmtpServer() : server_([this](int client) { talk(client); }) {}

  [[nodiscard]] std::string url() const { return "smtp://" + server_.address(); }

  /// The letters since the last call, with headers, without carriage returns.
  std::vector<std::string> take_letters() {
    const std::lock_guard lock(mutex_);
    return std::exchange(letters_, {});
  }

 private:
  static void say(int client, const std::string& line) { LocalServer::send(client, line + "\r\n"); }

  void talk(int client) {
    std::string rest;
    std::string letter;
    bool data = false;
    say(client, "220 test");
    std::array<char, 4096> buffer{};
    for (;;) {
      const auto got = ::recv(client, buffer.data(), buffer.size(), 0);
      if (got <= 0) {
        return;
      }
      rest.append(buffer.data(), static_cast<std::size_t>(got));
      for (auto end = rest.find("\r\n"); end != std::string::npos; end = rest.find("\r\n")) {
        const auto line = rest.substr(0, end);
        rest.erase(0, end + 2);
        if (data && line != ".") {
          letter += line + "\n";
        } else if (data) {
          const std::lock_guard lock(mutex_);
          letters_.push_back(std::exchange(letter, {}));
          data = false;
          say(client, "250 kept");
        } else if (line == "DATA") {
          data = true;
          say(client, "354 go on");
        } else if (line == "QUIT") {
          say(client, "221 bye");
          return;
        } else {
          say(client, "250 yes");
        }
      }
    }
  }

  std::mutex mutex_;
  std::vector<std::string> letters_;
  LocalServer server_;
};

}  // namespace abgleich::test
