// The tests' main function. It also names a case that hangs: ctest has a longer limit, and would
// name only the program.
#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>

#include <csignal>
#include <string>
#include <unistd.h>

namespace abgleich::test {

namespace {

constexpr unsigned kLongest = 1200;  // seconds; ctest gives all cases of a part 1800

std::string running;  // the message about the case that runs

extern "C" void end_of_patience(int /*signal*/) {
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, running.data(), running.size());
  ::_exit(1);
}

class Watch : public doctest::IReporter {
 public:
  explicit Watch(const doctest::ContextOptions& /*options*/) {}
  void test_case_start(const doctest::TestCaseData& test) override {
    running = std::string(test.m_file.c_str()) + ": it hangs: " + test.m_name + "\n";
    std::signal(SIGALRM, end_of_patience);
    ::alarm(kLongest);
  }
  void test_case_end(const doctest::CurrentTestCaseStats& /*stats*/) override { ::alarm(0); }

  void report_query(const doctest::QueryData& /*data*/) override {}
  void test_run_start() override {}
  void test_run_end(const doctest::TestRunStats& /*stats*/) override {}
  void test_case_reenter(const doctest::TestCaseData& /*test*/) override {}
  void test_case_exception(const doctest::TestCaseException& /*exception*/) override {}
  void subcase_start(const doctest::SubcaseSignature& /*subcase*/) override {}
  void subcase_end() override {}
  void log_assert(const doctest::AssertData& /*assertion*/) override {}
  void log_message(const doctest::MessageData& /*message*/) override {}
  void test_case_skipped(const doctest::TestCaseData& /*test*/) override {}
};

REGISTER_LISTENER("watch", 1, Watch);

}  // namespace

}  // namespace abgleich::test
