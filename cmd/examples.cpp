#include "examples.hpp"

#include <array>

namespace abgleich::cmd {

namespace {

constexpr auto kExamples = std::to_array<Example>({
    {"", R"(abgleich sync -q)", "From cron: says something only if there is something to do."},
    {"init",
     R"(abgleich init --primary 'postgresql://abgleich_reader@db1/kpm' --secondary 'postgresql://abgleich_writer@db2/second')",
     "Begins in the working directory."},
    {"init", R"(abgleich --config abgleich.toml init --again)",
     "Adds what is new in the primary to the contract; what people have written stays."},
    {"check", R"(abgleich check)", "Before the first run, and after every change of rights."},
    {"grants", R"(abgleich grants --primary | psql kpm)",
     "As an administrator of the primary: gives the role that reads exactly its rights."},
    {"keys", R"(abgleich keys check)", "Whether the key file can be used."},
    {"drift", R"(abgleich drift)", "What the vendor has changed, and what to do about it."},
    {"drift",
     R"(abgleich drift snapshot new.json && abgleich drift --catalog new.json --exit-code)",
     "The same in two steps: the second one needs no database."},
    {"drift", R"(abgleich drift accept --table person)", "Accepts one table as it is now."},
    {"contract", R"(abgleich contract add person.email --class withhold)",
     "Names a new column, and keeps it back."},
    {"contract", R"(abgleich contract accept --reason 'decided by the data protection officer')",
     "Lets more leave than the last run did."},
    {"diff", R"(abgleich diff --stat)", "How many rows of each table a run would change."},
    {"diff", R"(abgleich diff person)", "Which of one table, row by row."},
    {"sync", R"(abgleich sync)", "One run."},
    {"sync", R"(abgleich sync --accept-mass-change person --reason 'moved to a new area code')",
     "Lets one run pass the limits for a table."},
    {"status", R"(abgleich status)", "When syncing last worked, and what is open."},
    {"status", R"(abgleich status --all --exit-code)", "Of all pairings, for monitoring."},
    {"log", R"(abgleich log -n 5)", "The last five runs."},
    {"show", R"(abgleich show latest person)", "What the last run changed in one table."},
    {"conflicts", R"(abgleich conflicts)", "What waits for a decision, with both values."},
    {"resolve", R"(abgleich resolve 8a33 --take secondary)", "What was entered by people stands."},
    {"resolve", R"(abgleich resolve --all --table person --take primary)",
     "All of one table, for the primary."},
    {"resolve", R"(abgleich resolve --from decisions.txt --reason 'decided by the ward')",
     "What was chosen on the page of report --decide."},
    {"quarantine", R"(abgleich quarantine)", "Which rows are held back, and why."},
    {"verify", R"(abgleich verify)", "Proves that both sides agree."},
    {"revert", R"(abgleich revert r12 --reason 'the delivery was incomplete')",
     "Takes one run back; then sync is paused."},
    {"resume", R"(abgleich resume --reason 'the delivery is complete')", "Lets sync go on."},
    {"adopt", R"(abgleich adopt --reason 'the primary was restored from the backup of Monday')",
     "Goes on after exit codes 21 and 22."},
    {"rekey", R"(abgleich rekey person --reason 'the vendor went over to uuid')",
     "After the contract has named another key."},
    {"privacy", R"(abgleich privacy --markdown >what-leaves.md)",
     "For the record of processing activities."},
    {"privacy", R"(abgleich privacy --erased p1_2hen2qy4drgpl7xe7dp5m4yjjm)",
     "Whether a person who was deleted in the primary is gone here, or until when not."},
    {"backup", R"(abgleich backup /srv/backup/abgleich-$(date +%F))",
     "Every night: without the key, which stays in a safe."},
    {"restore", R"(abgleich restore --drill)",
     "Every month: that the last backup can be restored."},
    {"restore", R"(abgleich restore /srv/backup/abgleich-2026-03-09)",
     "On a new machine: prints the commands that bring the files back."},
    {"report", R"(abgleich report --html report.html --lang de)",
     "For the data protection officer, in German."},
    {"report", R"(abgleich report --decide decide.html)",
     "For clerks: a form, whose choices resolve --from applies."},
    {"reveal", R"(abgleich reveal person p1_2hen2qy4drgpl7xe7dp5m4yjjm --reason 'outbreak')",
     "Whose a pseudonym is. It is logged who asked."},
    {"token", R"(printf %s 4711 | abgleich token --identity person)",
     "The pseudonym of a value; the value is on no command line."},
    {"peer", R"(abgleich peer init --name ga-north)", "Once: this node's keys and its card."},
    {"peer",
     R"(abgleich peer add ga-south.card --fingerprint '96743 36632 73677 52794 40290 76025 96918 80560')",
     "Pins a peer's card by the digits that were read out on the telephone."},
    {"peer", R"(abgleich peer revoke ga-south --reason 'their laptop was stolen')",
     "Stops the exchange with a peer for good."},
    {"help", R"(abgleich help drift accept)", "The same as abgleich drift accept --help."},
    {"completion",
     R"(mkdir -p ~/.local/share/bash-completion/completions && abgleich completion bash >~/.local/share/bash-completion/completions/abgleich)",
     "For one user; an installed package has it."},
    {"completion",
     R"(mkdir -p ~/.config/fish/completions && abgleich completion fish >~/.config/fish/completions/abgleich.fish)",
     "The same for fish."},
});

}  // namespace

std::span<const Example> examples() {
  return kExamples;
}

}  // namespace abgleich::cmd
