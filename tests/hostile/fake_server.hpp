// A server that speaks PostgreSQL's protocol and answers as it likes
// (https://www.postgresql.org/docs/current/protocol-message-formats.html).
#pragma once

#include "support/local_server.hpp"

#include <functional>
#include <string>
#include <vector>

namespace abgleich::test {

class FakeServer {
 public:
  /// What it answers to a statement; see `rows` and `copy`.
  using Answer = std::function<std::string(const std::string& sql)>;

  explicit FakeServer(Answer answer)
      : answer_(std::move(answer)), server_([this](int client) { talk(client); }) {}

  [[nodiscard]] std::string url() const {
    return "postgresql://reader@" + server_.address() + "/kpm?sslmode=disable";
  }

  /// Rows of text columns.
  static std::string rows(int columns, const std::vector<std::vector<std::string>>& rows) {
    std::string described = number(2, columns);
    for (int i = 0; i < columns; ++i) {
      described += "c" + std::to_string(i);
      described += '\0';
      described += number(4, 0) + number(2, 0) + number(4, 25) + number(2, -1) + number(4, -1) +
                   number(2, 0);
    }
    std::string answer = message('T', described);
    for (const auto& row : rows) {
      std::string cells = number(2, static_cast<int>(row.size()));
      for (const auto& cell : row) {
        cells += number(4, static_cast<int>(cell.size())) + cell;
      }
      answer += message('D', cells);
    }
    return answer + message('C', std::string("SELECT ") + std::to_string(rows.size()) + '\0');
  }

  /// COPY … TO STDOUT that says it has so many columns.
  static std::string copy(int columns, const std::vector<std::string>& lines) {
    std::string formats;
    for (int i = 0; i < columns; ++i) {
      formats += number(2, 0);
    }
    std::string answer = message('H', std::string(1, '\0') + number(2, columns) + formats);
    for (const auto& line : lines) {
      answer += message('d', line + "\n");
    }
    return answer + message('c', "") +
           message('C', std::string("COPY ") + std::to_string(lines.size()) + '\0');
  }

  static std::string done(const std::string& tag) { return message('C', tag + '\0'); }

 private:
  static std::string number(int bytes, int value) {
    std::string text;
    for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) {
      text +=
          static_cast<char>(static_cast<unsigned>(value) >> static_cast<unsigned>(shift) & 0xffU);
    }
    return text;
  }
  static std::string message(char type, const std::string& body) {
    return type + number(4, static_cast<int>(body.size()) + 4) + body;
  }
  static std::string parameter(const std::string& name, const std::string& value) {
    return message('S', name + '\0' + value + '\0');
  }

  static bool take(int client, std::string& bytes, std::size_t size) {
    bytes.resize(size);
    for (std::size_t got = 0; got < size;) {
      const auto more = ::recv(client, bytes.data() + got, size - got, 0);
      if (more <= 0) {
        return false;
      }
      got += static_cast<std::size_t>(more);
    }
    return true;
  }
  static std::size_t length_of(const std::string& bytes, std::size_t at) {
    std::size_t length = 0;
    for (std::size_t i = 0; i < 4; ++i) {
      length = length << 8U | static_cast<unsigned char>(bytes[at + i]);
    }
    return length;
  }
  void talk(int client) {
    std::string bytes;
    if (!take(client, bytes, 4) || !take(client, bytes, length_of(bytes, 0) - 4)) {
      return;
    }
    char state = 'I';
    const auto ready = [&] { return message('Z', std::string(1, state)); };
    LocalServer::send(client, message('R', number(4, 0)) + parameter("server_version", "15.4") +
                                  parameter("server_encoding", "UTF8") +
                                  parameter("client_encoding", "UTF8") +
                                  parameter("standard_conforming_strings", "on") +
                                  parameter("integer_datetimes", "on") +
                                  message('K', number(4, 1) + number(4, 2)) + ready());
    std::string parsed;
    for (;;) {
      if (!take(client, bytes, 5)) {
        return;
      }
      const char type = bytes[0];
      if (!take(client, bytes, length_of(bytes, 1) - 4) || type == 'X') {
        return;
      }
      const auto answer = [&](const std::string& sql) {
        state = sql.starts_with("BEGIN") ? 'T'
                : sql.starts_with("ROLLBACK") && sql.find("TO SAVEPOINT") == std::string::npos
                    ? 'I'
                    : state;
        return answer_(sql);
      };
      if (type == 'Q') {
        const auto text = answer(bytes.c_str());
        LocalServer::send(client, text + ready());
      } else if (type == 'P') {
        parsed = bytes.c_str() + bytes.find('\0') + 1;
      } else if (type == 'S') {
        const auto text = answer(parsed);
        LocalServer::send(client, message('1', "") + message('2', "") + text + ready());
      }
    }
  }

  Answer answer_;
  LocalServer server_;
};

}  // namespace abgleich::test
