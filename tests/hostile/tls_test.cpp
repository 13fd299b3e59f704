// A server in the middle: what it learns of us before it has proved who it is.
#include "support/pairing.hpp"

#include <doctest/doctest.h>

#include <arpa/inet.h>
#include <atomic>
#include <netinet/in.h>
#include <sys/socket.h>
#include <thread>

namespace abgleich::test {

namespace {

const std::string kPassword = "Sesam-öffne-dich-4711";

/// Listens on the loopback interface, takes everything that clients send, answers "N" to a request
/// for TLS or GSS, and asks whoever goes on for a password in clear.
class Impostor {
 public:
  Impostor() : listening_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(::bind(listening_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    REQUIRE(::listen(listening_, 8) == 0);
    socklen_t size = sizeof address;
    REQUIRE(::getsockname(listening_, reinterpret_cast<sockaddr*>(&address), &size) == 0);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  Impostor(const Impostor&) = delete;
  Impostor& operator=(const Impostor&) = delete;
  ~Impostor() { stop(); }

  [[nodiscard]] std::string port() const { return std::to_string(port_); }
  /// Everything that it was sent.
  std::string heard() {
    stop();
    return heard_;
  }

 private:
  void stop() {
    if (thread_.joinable()) {
      ::shutdown(listening_, SHUT_RDWR);
      thread_.join();
      ::close(listening_);
    }
  }
  void serve() {
    for (;;) {
      const int client = ::accept(listening_, nullptr, nullptr);
      if (client < 0) {
        return;
      }
      std::array<char, 4096> bytes{};
      for (;;) {
        const auto got = ::recv(client, bytes.data(), bytes.size(), 0);
        if (got <= 0) {
          break;
        }
        const std::string_view said(bytes.data(), static_cast<std::size_t>(got));
        heard_ += said;
        const bool request = said.size() == 8 && said[4] == '\x04' && said[5] == '\xD2';
        const std::string answer =
            request ? "N" : std::string("R\0\0\0\x08\0\0\0\x03", 9);  // cleartext password
        if (::send(client, answer.data(), answer.size(), MSG_NOSIGNAL) < 0) {
          break;
        }
      }
      ::close(client);
    }
  }

  int listening_;
  int port_ = 0;
  std::string heard_;
  std::thread thread_;
};

/// Runs `diff` of a pairing whose primary has this URL; the impostor's port is put for PORT.
struct Heard {
  Ran ran;
  std::string bytes;
};

Heard diff_with(std::string url, const std::vector<std::string>& environment = {},
                const std::string& service = "") {
  Impostor impostor;
  const auto port_in = [&](std::string text) {
    for (auto at = text.find("PORT"); at != std::string::npos; at = text.find("PORT")) {
      text.replace(at, 4, impostor.port());
    }
    return text;
  };
  const Pairing pairing(On::sqlite, On::sqlite,
                        "[tables.t]\nkey = [\"id\"]\n[tables.t.columns]\n"
                        "id = { class = \"pseudonym\", identity = \"t\" }\n");
  const auto password = pairing.directory / "pass";
  write_file(password, kPassword + "\n");
  std::filesystem::permissions(password, std::filesystem::perms(0600));
  write_file(pairing.directory / "services", port_in(service));
  write_file(pairing.directory / "abgleich.toml",
             "retry_for = \"0\"\n[primary]\nurl = \"" + port_in(std::move(url)) +
                 "\"\npassword_file = \"pass\"\n[secondary]\nurl = \"" + pairing.secondary.url() +
                 "\"\n");
  auto all = environment;
  all.push_back("PGSERVICEFILE=" + (pairing.directory / "services").string());
  auto ran = pairing.run({"diff"}, all);
  return {.ran = std::move(ran), .bytes = impostor.heard()};
}

bool told(const Heard& heard) {
  return heard.bytes.find(kPassword) != std::string::npos;
}

}  // namespace

TEST_CASE("a server that answers N to a request for TLS gets no password") {
  for (const std::string url :
       {"postgresql://me@db1:PORT/x?hostaddr=127.0.0.1",
        "postgresql://me@/x?hostaddr=127.0.0.1&"
        "host=db1&port=PORT",
        "postgresql://me@db1:PORT,db2:PORT/x?hostaddr=127.0.0.1,127.0.0.1",
        "postgresql://me@localhost:PORT,db2:PORT/x?hostaddr=127.0.0.1,127.0.0.1",
        "postgresql://me@db1:PORT/x?hostaddr=127.0.0.1&sslmode=verify-full",
        "postgresql://me@db1:PORT/x?hostaddr=127.0.0.1&sslmode=require",
        "postgresql://me@db1:PORT/x?hostaddr=127.0.0.1&sslmode="}) {
    CAPTURE(url);
    const auto heard = diff_with(url);
    CAPTURE(heard.ran.err);
    CHECK(heard.ran.exit == 25);
    CHECK(!told(heard));
    CHECK(!heard.bytes.empty());
    CHECK(heard.ran.err.find("sslmode") != std::string::npos);
    CHECK(heard.ran.err.find(kPassword) == std::string::npos);
  }
}

TEST_CASE("neither the environment nor a service file makes a connection weaker") {
  const std::string url = "postgresql://me@db1:PORT/x?hostaddr=127.0.0.1";
  CHECK(!told(diff_with(url, {"PGSSLMODE=disable"})));
  CHECK(!told(diff_with(url, {"PGSSLMODE=prefer", "PGGSSENCMODE=prefer"})));
  const std::string service = "[there]\nhost=db1\nhostaddr=127.0.0.1\nport=PORT\nsslmode=disable\n";
  CHECK(!told(diff_with("postgresql:///x?user=me&service=there", {}, service)));
  CHECK(!told(diff_with("postgresql://me@/x", {"PGSERVICE=there"}, service)));
  CHECK(!told(diff_with("postgresql://me@/x", {"PGHOST=db1", "PGHOSTADDR=127.0.0.1", "PGPORT=PORT",
                                               "PGSSLMODE=disable"})));
}

TEST_CASE("less is possible in words, and on this machine; check says what that means") {
  // the control: an impostor that may ask gets it
  CHECK(told(diff_with("postgresql://me@db1:PORT/x?hostaddr=127.0.0.1&sslmode=prefer")));
  CHECK(told(diff_with("postgresql://me@db1:PORT/x?hostaddr=127.0.0.1&sslmode=disable")));
  CHECK(told(diff_with("postgresql://me@127.0.0.1:PORT/x")));
  CHECK(told(diff_with("postgresql://me@localhost:PORT/x?hostaddr=127.0.0.1")));

  const Pairing pairing(On::sqlite, On::sqlite,
                        "[tables.t]\nkey = [\"id\"]\n[tables.t.columns]\n"
                        "id = { class = \"pseudonym\", identity = \"t\" }\n");
  const auto check_with = [&](const std::string& url) {
    write_file(pairing.directory / "abgleich.toml", "retry_for = \"0\"\n[primary]\nurl = \"" + url +
                                                        "\"\n[secondary]\nurl = \"" +
                                                        pairing.secondary.url() + "\"\n");
    return pairing.run({"check"}).out;
  };
  for (const std::string mode : {"disable", "allow", "prefer", "require", "verify-ca"}) {
    CAPTURE(mode);
    CHECK(check_with("postgresql://me@db1:1/x?hostaddr=127.0.0.1&sslmode=" + mode)
              .find("WARN wire of the primary: sslmode=" + mode) != std::string::npos);
  }
  CHECK(check_with("postgresql://me@db1:1/x?hostaddr=127.0.0.1").find("WARN") == std::string::npos);
  CHECK(check_with("postgresql://me@127.0.0.1:1/x?sslmode=disable").find("WARN") ==
        std::string::npos);
}

}  // namespace abgleich::test
