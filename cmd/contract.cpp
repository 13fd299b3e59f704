// `abgleich contract add`: names a column in the contract.
#include "contract/contract.hpp"

#include "command.hpp"
#include "contract/edit.hpp"
#include "core/shortage.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <fstream>
#include <memory>
#include <sstream>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace abgleich::cmd {

namespace {

struct Arguments {
  std::string name;
  contract::NewColumn column;
};

std::string read_text(const std::filesystem::path& file) {
  std::ostringstream text;
  text << std::ifstream(file, std::ios::binary).rdbuf();
  return text.str();
}

/// Writes beside the file and renames, so that a full disk leaves the old contract whole.
void replace_file(const std::filesystem::path& file, std::string_view text) {
  struct stat status {};
  ::stat(file.c_str(), &status);
  auto temporary = file;
  temporary += ".new";
  const int number =
      ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW,
             status.st_mode & 0777U);
  const auto close = [&] {
    if (number >= 0) {
      ::close(number);
    }
  };
  try {
    const auto done = [](bool well) {
      if (!well) {
        throw std::system_error(errno, std::generic_category());
      }
    };
    done(number >= 0);
    write_whole(number, text);
    done(::fsync(number) == 0);
    done(::rename(temporary.c_str(), file.c_str()) == 0);
    close();
  } catch (const std::system_error& error) {
    close();
    ::unlink(temporary.c_str());
    const auto shortage = shortage_of(error.code().value());
    throw Failure(shortage ? shortage->code : Code::configuration,
                  fmt::format("cannot write '{}': {}; the contract is as it was", file.string(),
                              std::generic_category().message(error.code().value())),
                  std::string(shortage ? shortage->hint
                                       : "look at the rights of the file and its directory, then "
                                         "run the same command again"));
  }
}

Code add(const Context& context, const Arguments& arguments) {
  const auto pairing = context.pairing();
  const auto& file = pairing.config.contract;
  auto column = contract::named_column(pairing.contract, arguments.name);
  column.cls = arguments.column.cls;
  column.identity = arguments.column.identity;
  column.normalise = arguments.column.normalise;
  column.to = arguments.column.to;
  column.reference = arguments.column.reference;
  replace_file(file, contract::add_column(read_text(file), file, column));
  if (context.json) {
    const nlohmann::ordered_json json = {{"schema", "abgleich.contract-add/1"},
                                         {"contract", file.string()},
                                         {"table", column.table},
                                         {"column", column.column},
                                         {"class", column.cls}};
    print(json.dump() + "\n");
  } else if (context.loudness() != Loudness::problems) {
    print(fmt::format("added '{}' to '{}'; then run: abgleich drift accept\n", arguments.name,
                      file.string()));
  }
  return Code::done;
}

}  // namespace

void setup_contract(CommandLine app, Context& context) {
  auto command = app.add_subcommand("contract", "the contract file");
  command.require_subcommand();
  command.fallthrough();
  auto adding = command.add_subcommand("add", "name a column, keeping comments and order");
  const auto arguments = std::make_shared<Arguments>();
  adding.add_option("TABLE.COLUMN", arguments->name, "of the primary").required().type_name("");
  adding.add_option("--class", arguments->column.cls, "plain, pseudonym, generalise or withhold")
      .required()
      .one_of({"plain", "pseudonym", "generalise", "withhold"});
  adding.add_option("--identity", arguments->column.identity, "of a pseudonym: whose it is");
  adding.add_option("--normalise", arguments->column.normalise, "of a pseudonym");
  adding.add_option("--to", arguments->column.to, "of a generalisation: year, month, …");
  adding.add_option("--reference", arguments->column.reference, "of an age band: YYYY-MM-DD");
  adding.callback([&context, arguments] {
    context.run = [&context, arguments] { return add(context, *arguments); };
  });
}

}  // namespace abgleich::cmd
