// A real browser without a window, for tests of pages: Debian's Chromium, told what to do through a
// pair of pipes (the DevTools protocol: JSON, each message ends with a NUL).
#pragma once

#include "support/program.hpp"
#include "support/temporary_directory.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <deque>
#include <filesystem>
#include <string>
#include <string_view>

namespace abgleich::test {

class Chromium {
 public:
  using Json = nlohmann::json;

  Chromium() {
    const auto commands = new_pipe();
    const auto answers = new_pipe();
    pid_ = ::fork();
    REQUIRE(pid_ >= 0);
    if (pid_ == 0) {
      start(commands[0], answers[1]);
    }
    ::close(commands[0]);
    ::close(answers[1]);
    to_ = commands[1];
    from_ = answers[0];
  }
  Chromium(const Chromium&) = delete;
  Chromium& operator=(const Chromium&) = delete;
  ~Chromium() {
    ::close(to_);  // it ends when nobody can tell it anything any more
    ::close(from_);
    ::kill(pid_, SIGTERM);
    ::waitpid(pid_, nullptr, 0);
  }

  enum class Scripts { on, off };
  /// A tab as wide as a small telephone, with this page of a file. Returns when it is loaded.
  void open(const std::filesystem::path& file, Scripts scripts) {
    session_.clear();
    const auto target = call("Target.createTarget", {{"url", "about:blank"}})["targetId"];
    const auto attached = call("Target.attachToTarget", {{"targetId", target}, {"flatten", true}});
    session_ = attached["sessionId"];
    call("Page.enable");
    call("Emulation.setDeviceMetricsOverride",
         {{"width", kWidth}, {"height", 800}, {"deviceScaleFactor", 1}, {"mobile", false}});
    call("Emulation.setScriptExecutionDisabled", {{"value", scripts == Scripts::off}});
    call("Page.navigate", {{"url", "file://" + file.string()}});
    wait_for("Page.loadEventFired");
  }

  /// The value of an expression, also in a page whose own scripts do not run.
  Json evaluate(std::string_view expression) {
    auto result = call("Runtime.evaluate",
                       {{"expression", std::string(expression)}, {"returnByValue", true}});
    REQUIRE_MESSAGE(!result.contains("exceptionDetails"), result.dump());
    return result["result"]["value"];
  }

  /// A key of the keyboard, by the names and numbers that browsers have for keys.
  void press(const std::string& key, int number, const std::string& text = "") {
    Json event = {
        {"type", "keyDown"}, {"key", key}, {"code", key}, {"windowsVirtualKeyCode", number}};
    if (!text.empty()) {
      event["text"] = text;
    }
    call("Input.dispatchKeyEvent", event);
    event["type"] = "keyUp";
    event.erase("text");
    call("Input.dispatchKeyEvent", event);
  }
  void tab() { press("Tab", 9); }
  void up() { press("ArrowUp", 38); }
  void enter() { press("Enter", 13, "\r"); }

  /// From here on, what a page saves goes into this directory.
  void save_into(const std::filesystem::path& directory) {
    call("Browser.setDownloadBehavior",
         {{"behavior", "allow"}, {"downloadPath", directory.string()}, {"eventsEnabled", true}});
  }
  void wait_until_loaded() { wait_for("Page.loadEventFired"); }
  void wait_until_saved() {
    while (wait_for("Browser.downloadProgress")["params"]["state"] != "completed") {
    }
  }

  static constexpr int kWidth = 320;

 private:
  [[noreturn]] void start(int commands, int answers) const {
    constexpr int kCommands = 3;
    constexpr int kAnswers = 4;
    // out of the way first, since one of them may be the other's number
    const int from = ::fcntl(commands, F_DUPFD, 10);
    const int to = ::fcntl(answers, F_DUPFD, 10);
    ::dup2(from, kCommands);
    ::dup2(to, kAnswers);
    const int nowhere = ::open("/dev/null", O_RDWR);
    for (const int stream : {0, 1, 2}) {
      ::dup2(nowhere, stream);
    }
    const auto profile = "--user-data-dir=" + profile_.path().string();
    // no sandbox: the tests' user may be root, and the pages are ours
    ::execl("/usr/bin/chromium", "chromium", "--headless", "--no-sandbox", "--disable-gpu",
            "--no-first-run", "--disable-dev-shm-usage", "--remote-debugging-pipe", profile.c_str(),
            "about:blank", nullptr);
    ::_exit(127);
  }

  Json call(const std::string& method, const Json& parameters = Json::object()) {
    const auto id = ++calls_;
    Json message = {{"id", id}, {"method", method}, {"params", parameters}};
    if (!session_.empty()) {
      message["sessionId"] = session_;
    }
    const auto text = message.dump();
    REQUIRE_MESSAGE(
        ::write(to_, text.c_str(), text.size() + 1) == static_cast<ssize_t>(text.size() + 1),
        "Chromium has ended: is the package 'chromium' installed?");
    for (;;) {
      auto answer = read_message();
      if (answer.value("id", 0) == id) {
        REQUIRE_MESSAGE(!answer.contains("error"), method, ": ", answer.dump());
        return answer["result"];
      }
      events_.push_back(std::move(answer));
    }
  }

  /// The next event of this kind; those before it are forgotten.
  Json wait_for(std::string_view method) {
    for (;;) {
      while (!events_.empty()) {
        auto event = std::move(events_.front());
        events_.pop_front();
        if (event.value("method", "") == method) {
          return event;
        }
      }
      events_.push_back(read_message());
    }
  }

  Json read_message() {
    constexpr int kPatience = 120'000;  // milliseconds: a slow machine, and no test that hangs
    for (;;) {
      if (const auto end = read_.find('\0'); end != std::string::npos) {
        auto message = Json::parse(read_.substr(0, end));
        read_.erase(0, end + 1);
        return message;
      }
      pollfd file{from_, POLLIN, 0};
      REQUIRE_MESSAGE(::poll(&file, 1, kPatience) == 1, "Chromium says nothing");
      std::array<char, 65536> buffer{};
      const auto got = ::read(from_, buffer.data(), buffer.size());
      REQUIRE_MESSAGE(got > 0, "Chromium has ended: is the package 'chromium' installed?");
      read_.append(buffer.data(), static_cast<std::size_t>(got));
    }
  }

  TemporaryDirectory profile_;
  pid_t pid_ = -1;
  int to_ = -1;
  int from_ = -1;
  int calls_ = 0;
  std::string session_;
  std::string read_;
  std::deque<Json> events_;
};

}  // namespace abgleich::test
