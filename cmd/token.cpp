// `abgleich token`: the pseudonym that a value has. The value comes from standard input: arguments
// can be seen by everybody on the machine, and stay in the shell's history.
#include "command.hpp"
#include "sync/history/reveal.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <array>
#include <cerrno>
#include <memory>
#include <unistd.h>

namespace abgleich::cmd {

namespace {

constexpr std::size_t kLongest = 65536;

struct Arguments {
  std::string identity;
  std::string reason;
};

/// Standard input to its end, without the line end that a shell puts there.
std::string read_value() {
  std::string value;
  std::array<char, 4096> buffer{};
  for (;;) {
    const auto got = ::read(0, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got <= 0) {
      break;
    }
    value.append(buffer.data(), static_cast<std::size_t>(got));
    if (value.size() > kLongest) {
      throw Failure(Code::usage, "the value on standard input is too long",
                    "give one value: printf %s VALUE | abgleich token --identity NAME");
    }
  }
  if (value.ends_with('\n')) {
    value.pop_back();
    if (value.ends_with('\r')) {
      value.pop_back();  // as files from Windows have it
    }
  }
  if (value.find('\n') != std::string::npos) {
    throw Failure(Code::usage, "there are several lines on standard input",
                  "give one value: printf %s VALUE | abgleich token --identity NAME");
  }
  return value;
}

Code run(const Context& context, const Arguments& arguments) {
  if (arguments.reason == "-") {
    throw Failure(Code::usage, "standard input has the value, and not the reason as well",
                  "write the reason into a variable of the environment: ABGLEICH_REASON");
  }
  const auto pairing = context.pairing();
  const auto tokens = sync::token(pairing, arguments.identity, read_value(), arguments.reason);
  for (const auto& token : tokens) {
    if (context.json) {
      const nlohmann::ordered_json json = {{"identity", arguments.identity},
                                           {"pseudonym", token.pseudonym},
                                           {"format", token.format},
                                           {"normalise", token.normaliser}};
      print_json(json);
    } else if (tokens.size() == 1) {
      print(token.pseudonym + "\n");
    } else {
      print(fmt::format("{} {} {}\n", token.pseudonym, token.format, token.normaliser));
    }
  }
  return Code::done;
}

}  // namespace

void setup_token(CommandLine app, Context& context) {
  auto command =
      app.add_subcommand("token", "the pseudonym of a value, read from standard input; logged");
  const auto arguments = std::make_shared<Arguments>();
  command.add_option("--identity", arguments->identity, "whose value it is, as in the contract")
      .required()
      .type_name("NAME");
  command.add_option("--reason", arguments->reason, "why, for the log").type_name("TEXT");
  command.callback([&context, arguments] {
    context.run = [&context, arguments] { return run(context, *arguments); };
  });
}

}  // namespace abgleich::cmd
