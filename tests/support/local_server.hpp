// The base of every small server for tests: a port of this machine, and a thread for each
// connection.
#pragma once

#include <doctest/doctest.h>

#include <arpa/inet.h>
#include <functional>
#include <netinet/in.h>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

namespace abgleich::test {

/// Serves until it is destroyed. Has to be the last member of the class that uses it.
class LocalServer {
 public:
  /// Talks to a client until it is done; the connection is closed afterwards.
  using Talk = std::function<void(int client)>;

  explicit LocalServer(Talk talk)
      : talk_(std::move(talk)), socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(::bind(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    socklen_t size = sizeof address;
    REQUIRE(::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size) == 0);
    REQUIRE(::listen(socket_, 16) == 0);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  LocalServer(const LocalServer&) = delete;
  LocalServer& operator=(const LocalServer&) = delete;
  ~LocalServer() {
    ::shutdown(socket_, SHUT_RDWR);
    thread_.join();
    ::close(socket_);
  }

  /// "127.0.0.1:PORT"
  [[nodiscard]] std::string address() const { return "127.0.0.1:" + std::to_string(port_); }

  static void send(int client, const std::string& bytes) {
    (void)::send(client, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  }

 private:
  void serve() {
    std::vector<std::thread> connections;
    for (;;) {
      const int client = ::accept4(socket_, nullptr, nullptr, SOCK_CLOEXEC);
      if (client < 0) {
        break;
      }
      connections.emplace_back([this, client] {
        talk_(client);
        ::close(client);
      });
    }
    for (auto& connection : connections) {
      connection.join();
    }
  }

  Talk talk_;
  int socket_;
  int port_ = 0;
  std::thread thread_;
};

}  // namespace abgleich::test
