// `abgleich complete`, which shells call: prints names that can come next on the command line, one
// per line. It never fails, prints nothing else, and never prints a value.
#include "command.hpp"
#include "contract/config.hpp"
#include "sync/history/history.hpp"
#include "sync/history/resolve.hpp"

#include <algorithm>
#include <cctype>
#include <csignal>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <unistd.h>

namespace abgleich::cmd {

namespace {

// The longest time that a person who has pressed Tab waits, in seconds.
constexpr unsigned kPatience = 3;
constexpr std::int64_t kRuns = 50;

/// Whether a shell takes the name for one word and the program does not take it for an option.
/// Other names have to be typed.
bool is_word(const std::string& name) {
  return !name.empty() && name.front() != '-' && std::ranges::all_of(name, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte >= 0x80U || std::isalnum(byte) != 0 ||
           std::string_view("._-").find(c) != std::string_view::npos;
  });
}

class Names {
 public:
  void add(const std::string& name) {
    if (is_word(name) && told_.insert(name).second) {
      print(name + "\n");
    }
  }

 private:
  std::set<std::string> told_;
};

void tell_of_contract(const Context& context, const std::string& kind, Names& names) {
  const auto pairing = context.pairing();
  for (const auto& table : pairing.contract.tables) {
    if (kind == "tables") {
      names.add(table.name);
    }
    for (const auto& column : table.columns) {
      names.add(kind == "columns"      ? table.name + "." + column.name
                : kind == "identities" ? column.identity
                                       : std::string());
    }
  }
}

void tell(const Context& context, const std::string& kind) {
  Names names;
  if (kind == "profiles") {
    for (const auto& file : contract::all_profiles(context.profiles)) {
      names.add(contract::name_of_pairing(file));
    }
  } else if (kind == "runs") {
    names.add("latest");
    for (const auto& run : sync::runs(context.pairing(), kRuns)) {
      names.add(run.id);
    }
  } else if (kind == "conflicts") {
    sync::each_conflict(context.pairing(),
                        [&](const report::Change& change) { names.add(change.id); });
  } else {
    tell_of_contract(context, kind, names);
  }
}

}  // namespace

void setup_complete(CommandLine app, Context& context) {
  auto command = app.add_subcommand("complete", "names for a shell that completes");
  command.hide();
  const auto kind = std::make_shared<std::string>();
  command.add_option("KIND", *kind, "of what");
  command.callback([&context, kind] {
    context.run = [&context, kind] {
      std::signal(SIGALRM, [](int) { ::_exit(0); });
      ::alarm(kPatience);
      try {
        tell(context, *kind);
      } catch (const std::exception&) {
        return Code::done;  // it is no error that there is nothing to offer
      }
      return Code::done;
    };
  });
}

}  // namespace abgleich::cmd
