// `abgleich sync`: brings the secondary up to date with the primary.
#include "sync/sync.hpp"

#include "command.hpp"
#include "core/visible_text.hpp"
#include "progress.hpp"
#include "report/json.hpp"
#include "report/peer_outcome.hpp"
#include "sync/peers/exchange.hpp"
#include "sync/run/attempt_reporter.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <memory>

namespace abgleich::cmd {

namespace {

struct Arguments {
  bool dry_run = false;
  bool full = false;
  std::string adopt;
  std::vector<std::string> accepted;
  std::vector<std::string> refill;
  std::string reason;
};

/// Whether the output becomes a mail of cron: then only what is worth one is printed.
bool mails(const Context& context) {
  return context.loudness() == Loudness::problems && !context.json;
}

void complain_of(const std::string& text) {
  complain(text);
}

/// With -v: why metrics or a ping may not have told others of this run.
void tell_troubles(const Context& context, const sync::AttemptReporter& reporter) {
  for (const auto& trouble : reporter.troubles()) {
    if (context.loudness() == Loudness::more) {
      complain("note: " + visible(trouble) + "\n");
    }
  }
}

/// What cron mails: what is new, or once a day what is still open.
void tell_mail(const Context& context, sync::AttemptReporter& reporter,
               const report::Outcome& outcome) {
  const auto mail = reporter.mail(outcome, context.colour_of(2));
  if (!mail.empty()) {
    for (const auto& statement : outcome.ddl) {
      print(statement + ";\n");
    }
  }
  complain(mail);
}

void tell(const Context& context, const report::Outcome& outcome) {
  const auto loudness = context.loudness();
  for (const auto& note : outcome.notes) {
    complain("note: " + visible(context.named(note)) + "\n");
  }
  for (const auto& remark : outcome.remarks) {
    if (loudness == Loudness::more) {
      complain("note: " + visible(remark) + "\n");
    }
  }
  if (context.json) {
    print(report::json_line(outcome) + "\n");
    if (outcome.error) {
      complain(report::json_line(*outcome.error) + "\n");
    }
    return;
  }
  for (const auto& statement : outcome.ddl) {
    print(statement + ";\n");
  }
  for (const auto& event : outcome.drift) {
    complain(context.named(report::text_of(event, context.colour_of(2))));
  }
  const bool news = outcome.code != Code::done || outcome.result == report::Result::applied;
  if (loudness == Loudness::more || (news && loudness == Loudness::normal)) {
    print(context.named(report::text_of(outcome, context.colour_of(1))));
  } else if (loudness == Loudness::problems && outcome.code != Code::done) {
    complain(context.named(report::text_of(outcome, context.colour_of(2))));
  }
  // which tables drift blocks, and what to do, has just been told
  if (outcome.error && report::blocked_tables(outcome.drift).empty()) {
    complain(report::text_of(*outcome.error, context.colour_of(2)));
  }
}

/// `reporter` is set for a run that counts as an attempt.
sync::Options options_of(const Context& context, const Arguments& arguments,
                         std::optional<sync::AttemptReporter>& reporter) {
  const bool detailed = context.loudness() == Loudness::more && !context.json;
  return {.kind = arguments.dry_run ? report::Run::dry : report::Run::real,
          .detail = detailed ? sync::Detail::changes : sync::Detail::counts,
          .accepted_mass = {arguments.accepted.begin(), arguments.accepted.end()},
          .reason = arguments.reason,
          .full = arguments.full || !arguments.refill.empty(),
          .adopt = arguments.adopt == "primary"     ? merge::Adopt::primary
                   : arguments.adopt == "secondary" ? merge::Adopt::secondary
                                                    : merge::Adopt::ask,
          .refill = {arguments.refill.begin(), arguments.refill.end()},
          .on_lock = [&] {
            if (!reporter) {
              return;  // no attempt of the whole node
            }
            reporter->locked(mails(context) ? complain_of : sync::AttemptReporter::OnKilled());
          }};
}

/// The run of one pairing.
report::Outcome run_pairing(const Context& context, const Arguments& arguments,
                            const sync::Options& options, TerminalProgress& progress) {
  const auto pairing = context.pairing();
  for (const auto& table : arguments.accepted) {
    expect_table(pairing, table);
  }
  const sync::OnChange on_change = [&](const report::Change& change) {
    progress.done();
    print(report::text_of(change, context.colour_of(1)));
  };
  auto outcome = sync::run(pairing, options, progress, on_change);
  progress.done();
  return outcome;
}

void tell_peer(const Context& context, const report::PeerOutcome& peer) {
  const bool more = context.loudness() == Loudness::more;
  const auto note = [&](const std::string& text) { complain("note: " + visible(text) + "\n"); };
  for (const auto& remark : peer.remarks) {
    if (more) {
      note(remark);
    }
  }
  for (const auto* const run : {&peer.from, &peer.to}) {
    if (!*run) {
      continue;
    }
    std::ranges::for_each((*run)->notes, note);
    if (more) {
      std::ranges::for_each((*run)->remarks, note);
    }
    for (const auto& statement : (*run)->ddl) {
      print(statement + ";\n");
    }
    for (const auto& event : (*run)->drift) {
      complain(report::text_of(event, context.colour_of(2)));
    }
    if ((*run)->error && report::blocked_tables((*run)->drift).empty()) {
      complain(report::text_of(*(*run)->error, context.colour_of(2)));
    }
  }
  if (more || (report::has_news(peer) && context.loudness() == Loudness::normal)) {
    print(report::text_of(peer, context.colour_of(1)));
  } else if (context.loudness() == Loudness::problems && peer.code != Code::done) {
    complain(report::text_of(peer, context.colour_of(2)));
  }
  for (auto error : peer.errors) {
    error.message = fmt::format("peer '{}': {}", peer.peer, error.message);
    complain(report::text_of(error, context.colour_of(2)));
  }
}

void tell(const Context& context, const report::Exchanged& exchanged,
          const report::Outcome& summary) {
  if (context.json) {
    print(report::json_line(exchanged, summary) + "\n");
    if (summary.error) {
      complain(report::json_line(*summary.error) + "\n");
    }
    return;
  }
  if (exchanged.paired) {
    tell(context, *exchanged.paired);
  }
  for (const auto& error : {exchanged.failed, exchanged.no_peers, exchanged.uncounted}) {
    if (error) {
      complain(report::text_of(*error, context.colour_of(2)));
    }
  }
  for (const auto& peer : exchanged.peers) {
    tell_peer(context, peer);
  }
  for (const auto& rows : exchanged.unrouted) {
    complain(report::text_of(rows));
  }
}

/// What a person decides about rows, they decide about one pairing.
void expect_one_pairing(const Context& context, const contract::Config& node,
                        const Arguments& arguments) {
  const bool decides =
      !arguments.accepted.empty() || !arguments.adopt.empty() || !arguments.refill.empty();
  if (!decides) {
    return;
  }
  if (!node.pairs && !context.peer) {
    throw Failure(Code::usage,
                  "--accept-mass-change, --adopt and --refill are about one pairing, and here are "
                  "only those with peers",
                  "say which: --peer NAME for what comes from a peer, --peer to:NAME for what goes "
                  "to it. Nothing was changed");
  }
  const auto pairing = context.pairing();
  for (const auto& table : arguments.accepted) {
    expect_table(pairing, table);
  }
}

/// What cron mails of a run with peers.
void tell_mail(const Context& context, sync::AttemptReporter& reporter,
               const report::Exchanged& exchanged) {
  const auto mail = reporter.mail(exchanged, context.colour_of(2));
  const auto statements_of = [](const std::optional<report::Outcome>& outcome) {
    for (const auto& statement : outcome ? outcome->ddl : std::vector<std::string>()) {
      print(statement + ";\n");
    }
  };
  if (!mail.empty()) {
    statements_of(exchanged.paired);
    for (const auto& peer : exchanged.peers) {
      statements_of(peer.from);
    }
  }
  complain(mail);
}

/// The run of a node with peers: it takes in, pairs, gives out.
Code run_with_peers(Context& context, const contract::Config& node, const Arguments& arguments,
                    std::optional<sync::AttemptReporter>& reporter) {
  expect_one_pairing(context, node, arguments);
  sync::ExchangeOptions options{.run = options_of(context, arguments, reporter),
                                .on_statement = context.on_statement()};
  if (context.peer) {
    options.only = sync::peer_way_from(*context.peer);
  }
  const auto progress = make_progress(context);
  sync::PairedRun paired;
  if (node.pairs && !context.peer) {
    paired = [&] { return run_pairing(context, arguments, options.run, *progress); };
  }
  const auto exchanged = sync::exchange(node, options, *progress, paired);
  progress->done();
  const auto summary = report::summary_of(exchanged);
  if (summary.run) {
    context.applied = {*summary.run, summary.code};
  }
  if (!reporter) {
    tell(context, exchanged, summary);
    return summary.code;
  }
  reporter->ended(summary);
  tell_troubles(context, *reporter);
  if (mails(context)) {
    tell_mail(context, *reporter, exchanged);
  } else {
    tell(context, exchanged, summary);
  }
  return summary.code;
}

Code run(Context& context, const Arguments& arguments,
         std::optional<sync::AttemptReporter>& reporter) {
  if (!arguments.accepted.empty() && arguments.reason.empty()) {
    throw Failure(Code::usage, "--accept-mass-change needs a reason",
                  "add --reason TEXT; it is kept with the run");
  }
  if (!arguments.dry_run) {
    const auto config = sync::load_config(context.config_file());
    if (!context.peer) {  // with one peer alone, most of the work is not done
      reporter.emplace(config);
    }
    if (!config.exchange.peers.empty()) {
      return run_with_peers(context, config, arguments, reporter);
    }
  }
  const auto options = options_of(context, arguments, reporter);
  const auto progress = make_progress(context);
  const auto outcome = run_pairing(context, arguments, options, *progress);
  if (outcome.run) {
    context.applied = {*outcome.run, outcome.code};
  }
  if (reporter) {
    reporter->ended(outcome);
    tell_troubles(context, *reporter);
  }
  if (reporter && mails(context)) {
    tell_mail(context, *reporter, outcome);
  } else {
    tell(context, outcome);
  }
  return outcome.code;
}

}  // namespace

void setup_sync(CommandLine app, Context& context) {
  auto command = app.add_subcommand("sync", "bring the secondary up to date with the primary");
  const auto arguments = std::make_shared<Arguments>();  // lives as long as the parser's callbacks
  command.add_flag("--dry-run", arguments->dry_run, "everything but the writes");
  command.add_flag(
      "--full", arguments->full,
      "look at every row, not only at those that changed; owner = \"primary\" wins again");
  command
      .add_option("--accept-mass-change", arguments->accepted,
                  "let this run pass the limits for a table; with --reason")
      .type_name("TABLE")
      .one_at_a_time();
  command
      .add_option(
          "--adopt", arguments->adopt,
          "the side that wins where both have a row, differently, from before the first run")
      .one_of({"primary", "secondary"});
  command
      .add_option("--refill", arguments->refill,
                  "make a column anew that people have changed in the secondary, and fill it from "
                  "the primary; theirs stays beside it as NAME_people")
      .type_name("TABLE.COLUMN")
      .one_at_a_time();
  command.add_option("--reason", arguments->reason, "why, for the journal").type_name("TEXT");
  command.callback([&context, arguments] {
    const auto reporter = std::make_shared<std::optional<sync::AttemptReporter>>();
    context.run = [&context, arguments, reporter] { return run(context, *arguments, *reporter); };
    const auto line = failed_line(context, report::kSyncSchema,
                                  arguments->dry_run ? report::Run::dry : report::Run::real);
    context.failed = [&context, reporter, line](const Error& error) {
      if (*reporter) {
        (*reporter)->ended(error);
        tell_troubles(context, **reporter);
      }
      if (*reporter && mails(context)) {
        complain((*reporter)->mail(error, context.colour_of(2)));
        return Context::OnStderr::silent;
      }
      return line(error);
    };
  });
}

}  // namespace abgleich::cmd
