// `abgleich report`: a page to read, and a page to decide conflicts on.
#include "command.hpp"
#include "contract/words.hpp"
#include "core/replace_file.hpp"
#include "core/shortage.hpp"
#include "report/page/decision_page.hpp"
#include "report/page/frame.hpp"
#include "report/page/overview.hpp"
#include "sync/check/overview.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <fstream>
#include <memory>
#include <sys/stat.h>
#include <system_error>

namespace abgleich::cmd {

namespace {

constexpr const char* kAbout =
    R"(A page is one file that loads nothing from elsewhere and has only what the secondary has or would get: no
column that the contract withholds. It is written with mode 0600, because it shows what is in conflict. On the
page of --decide a person chooses a side for each conflict and saves the choices as a file, which resolve --from
applies. Without JavaScript the choices are in the page's address, which can be copied into a file.

)";

constexpr std::string_view kStandardOutput = "-";

struct Arguments {
  std::string html;
  std::string decide;
  std::string language = "en";
};

/// Only a page of ours is replaced, never another file.
void expect_ours(const std::string& file) {
  struct stat status {};
  if (::lstat(file.c_str(), &status) != 0) {
    return;  // it is not there, or cannot be reached: then writing says why
  }
  if (S_ISREG(status.st_mode) && status.st_size == 0) {
    return;  // nothing is lost
  }
  std::string beginning(report::kPageMarkWithin, '\0');
  if (S_ISREG(status.st_mode)) {
    std::ifstream(file, std::ios::binary)
        .read(beginning.data(), static_cast<std::streamsize>(beginning.size()));
  }
  if (beginning.find(report::kPageMark) == std::string::npos) {
    throw Failure(
        Code::usage,
        fmt::format("{} is there already, and is no page of abgleich", contract::in_quotes(file)),
        "write the page to another file; the old one is as it was");
  }
}

void write_page(const std::string& file, std::string_view page) {
  expect_ours(file);
  try {
    replace_file(file, page, S_IRUSR | S_IWUSR);
  } catch (const std::system_error& failed) {
    const auto shortage = shortage_of(failed.code().value());
    throw Failure(shortage ? shortage->code : Code::usage,
                  fmt::format("the page {} cannot be written: {}", contract::in_quotes(file),
                              failed.code().message()),
                  shortage ? std::string(shortage->hint) : "write it to a directory of your own");
  }
}

/// Writes the page, and says what there is to do with it.
template <class Shown>
Code deliver(const Context& context, const std::string& file, std::string_view page,
             const Shown& shown, std::string_view then) {
  if (file == kStandardOutput) {
    print(page);
    return Code::done;
  }
  write_page(file, page);
  const auto on_page = static_cast<std::int64_t>(shown.conflicts.size());
  const auto conflicts =
      on_page + shown.more_conflicts + shown.rare_conflicts + shown.older_conflicts;
  if (context.json) {
    print_json({{"schema", "abgleich.report/1"}, {"file", file}, {"conflicts", conflicts}});
  } else if (context.loudness() != Loudness::problems) {
    print(fmt::format("written: {}, {} open {}{}{}\n", contract::in_quotes(file), conflicts,
                      conflicts == 1 ? "conflict" : "conflicts",
                      on_page == conflicts ? "" : fmt::format(", {} of them on it", on_page),
                      on_page == 0 ? "" : then));
  }
  return Code::done;
}

Code run(const Context& context, const Arguments& arguments) {
  if (arguments.html.empty() == arguments.decide.empty()) {
    throw Failure(Code::usage, "say which page to write, and where to",
                  "--html FILE, a page to read; or --decide FILE, a page to decide conflicts on");
  }
  const auto& file = arguments.html.empty() ? arguments.decide : arguments.html;
  if (context.json && file == kStandardOutput) {
    throw Failure(Code::usage, "with --json the page cannot go to standard output as well",
                  "name a file in place of -");
  }
  const auto language = arguments.language == "de" ? report::Language::de : report::Language::en;
  const auto pairing = context.pairing();
  if (!arguments.html.empty()) {
    const auto overview = sync::overview(pairing);
    return deliver(context, file, report::overview_page(overview, language), overview,
                   "; decide them: abgleich report --decide FILE");
  }
  const auto sheet = sync::decision_sheet(pairing);
  return deliver(context, file, report::decision_page(sheet, language), sheet,
                 "; apply what is decided on it: abgleich resolve --from FILE");
}

}  // namespace

void setup_report(CommandLine app, Context& context) {
  auto command =
      app.add_subcommand("report", "a page to read or print, and a page to decide conflicts on");
  command.explain(kAbout);
  const auto arguments = std::make_shared<Arguments>();
  command
      .add_option("--html", arguments->html,
                  "writes the state of the pairing: runs, conflicts, rows held back, drift, what "
                  "leaves, k and l; -: to standard output")
      .type_name("FILE");
  command
      .add_option("--decide", arguments->decide,
                  "writes the open conflicts as a form; -: to standard output")
      .type_name("FILE");
  command.add_option("--lang", arguments->language, "en, or de for German; en")
      .one_of({"en", "de"});
  command.callback([&context, arguments] {
    context.run = [&context, arguments] { return run(context, *arguments); };
  });
}

}  // namespace abgleich::cmd
