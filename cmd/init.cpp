// `abgleich init`: a first configuration and contract from the primary's catalogue, never a value.
#include "command.hpp"
#include "contract/config.hpp"
#include "contract/init_text.hpp"
#include "contract/words.hpp"
#include "core/shortage.hpp"
#include "db/source.hpp"
#include "drift/catalog_file.hpp"
#include "mask/keyring.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cerrno>
#include <fcntl.h>
#include <fstream>
#include <memory>
#include <system_error>
#include <unistd.h>

namespace abgleich::cmd {

namespace {

struct Arguments {
  std::string primary;
  std::string secondary;
  std::filesystem::path directory = ".";
};

/// Makes a file that is not there yet.
void write_new(const std::filesystem::path& file, std::string_view text) {
  const int number = ::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  int why = number < 0 ? errno : 0;
  if (number >= 0) {
    try {
      write_whole(number, text);
    } catch (const std::system_error& error) {
      why = error.code().value();
      ::unlink(file.c_str());
    }
    ::close(number);
  }
  if (why != 0) {
    const auto shortage = shortage_of(why);
    throw Failure(
        shortage ? shortage->code : Code::configuration,
        fmt::format("cannot make '{}': {}", file.string(), std::generic_category().message(why)),
        std::string(shortage ? shortage->hint : "look at the directory's rights"));
  }
}

std::string url_of(const Endpoint& endpoint) {
  return endpoint.engine == Engine::sqlite ? "sqlite:" + endpoint.file.string() : endpoint.url;
}

Code run(const Context& context, const Arguments& arguments) {
  const auto& directory = arguments.directory;
  const auto config = directory / "abgleich.toml";
  const auto contract_file = directory / "contract.toml";
  const auto catalog_file = directory / "catalog.json";
  const auto key = directory / "abgleich.key";
  for (const auto& file : {config, contract_file, catalog_file, key}) {
    if (std::filesystem::exists(file)) {
      throw Failure(
          Code::configuration, fmt::format("'{}' is there already", file.string()),
          "init never overwrites; choose another --directory or move it away. Nothing was "
          "written");
    }
  }
  // Relative paths are the caller's here; in the file they would be relative to the file.
  const auto here = std::filesystem::current_path();
  auto primary = contract::parse_endpoint(Role::primary, arguments.primary, here);
  primary.on_statement = context.on_statement();
  const auto secondary = contract::parse_endpoint(Role::secondary, arguments.secondary, here);
  db::Source source(primary);
  const auto& catalog = source.catalog();
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error) {
    throw Failure(Code::configuration,
                  fmt::format("cannot make the directory '{}'", directory.string()),
                  "look at its parent's rights");
  }
  write_new(config, contract::config_text(url_of(primary), url_of(secondary)));
  write_new(contract_file, contract::contract_text(catalog));
  drift::write_catalog(catalog, catalog_file);
  mask::Keyring::generate(key);
  if (context.json) {
    const nlohmann::ordered_json json = {{"schema", "abgleich.init/1"},
                                         {"config", config.string()},
                                         {"contract", contract_file.string()},
                                         {"catalog", catalog_file.string()},
                                         {"key", key.string()},
                                         {"tables", catalog.tables.size()}};
    print_json(json);
  } else if (context.loudness() != Loudness::problems) {
    print(
        fmt::format("made '{}', '{}', '{}' and the key '{}' from {} {}\n"
                    "next: read and correct the contract, then run: abgleich --config {} check\n",
                    config.string(), contract_file.string(), catalog_file.string(), key.string(),
                    catalog.tables.size(), catalog.tables.size() == 1 ? "table" : "tables",
                    contract::in_shell(config.string())));
  }
  return Code::done;
}

}  // namespace

void setup_init(CommandLine app, Context& context) {
  auto command = app.add_subcommand(
      "init", "write a first configuration, contract, catalogue and key for a primary");
  const auto arguments = std::make_shared<Arguments>();
  command.add_option("--primary", arguments->primary, "the database that is read")
      .required()
      .type_name("URL");
  command.add_option("--secondary", arguments->secondary, "the database that is merged into")
      .required()
      .type_name("URL");
  command.add_option("--directory", arguments->directory, "where the files go").type_name("DIR");
  command.callback([&context, arguments] {
    context.run = [&context, arguments] { return run(context, *arguments); };
  });
}

}  // namespace abgleich::cmd
