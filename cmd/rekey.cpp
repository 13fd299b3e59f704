// `abgleich rekey`: go on with a table whose contract names another key.
#include "sync/rotate/rekey.hpp"

#include "command.hpp"
#include "progress.hpp"

#include <nlohmann/json.hpp>

#include <memory>

namespace abgleich::cmd {

namespace {

constexpr const char* kAbout =
    R"(Name the new key in the contract first (key = ["uuid"]). Until this command has run, the table is blocked:
its rows are still known by the old key. It is a run of its own. Edits, open conflicts, the journal and
the number of rows stay what they are. Which new key belongs to which row is read from the primary: keep
the lines of both keys for as long as it has both. Where it no longer has the old one, it is read from
the secondary, if the new one was exported before. The way back: name the old key in the contract again,
and run this again.

)";

struct Arguments {
  std::string table;
  std::string reason;
};

Code run(Context& context, const Arguments& arguments) {
  const auto pairing = context.pairing();
  expect_table(pairing, arguments.table);
  const auto progress = make_progress(context);
  const auto report = sync::rekey(pairing, arguments.table, arguments.reason, *progress);
  progress->done();
  context.applied = {report.run};
  if (context.json) {
    print_json({{"schema", "abgleich.rekey/1"},
                {"run", report.run},
                {"table", report.table},
                {"rekeyed", report.rows},
                {"was", report.was},
                {"now", report.now}});
  } else if (context.loudness() != Loudness::problems) {
    print(sync::text_of(report) + "\n");
  }
  return Code::done;
}

}  // namespace

void setup_rekey(CommandLine app, Context& context) {
  auto command =
      app.add_subcommand("rekey", "give every row of a table the key that the contract names now");
  command.explain(kAbout);
  const auto arguments = std::make_shared<Arguments>();
  command.add_option("TABLE", arguments->table, "its name in the contract")
      .required()
      .type_name("");
  command.add_option("--reason", arguments->reason, "why, for the journal")
      .required()
      .type_name("TEXT");
  command.callback([&context, arguments] {
    context.run = [&context, arguments] { return run(context, *arguments); };
  });
}

}  // namespace abgleich::cmd
