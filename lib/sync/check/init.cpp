#include "sync/check/init.hpp"

#include "contract/config.hpp"
#include "contract/init_text.hpp"
#include "contract/words.hpp"
#include "core/replace_file.hpp"
#include "core/shortage.hpp"
#include "db/primary/source.hpp"
#include "db/secondary/target.hpp"
#include "drift/catalog_file.hpp"
#include "mask/keyring.hpp"
#include "report/grants.hpp"
#include "sync/check/grants.hpp"
#include "sync/pairing.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <fstream>
#include <functional>
#include <sstream>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <vector>

namespace abgleich::sync {

namespace {

namespace fs = std::filesystem;

constexpr unsigned kReadable = 0644;
constexpr const char* kGrants = "grants.sql";

[[noreturn]] void cannot(std::string_view what, const fs::path& file, int why) {
  const auto shortage = shortage_of(why);
  throw Failure(
      shortage ? shortage->code : Code::configuration,
      fmt::format("cannot {} '{}': {}", what, file.string(), std::generic_category().message(why)),
      std::string(shortage ? shortage->hint
                           : "look at the rights of the file and of its directory"));
}

/// Makes a file that is not there yet.
void write_new(const fs::path& file, std::string_view text) {
  const int number = ::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, kReadable);
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
    cannot("make", file, why);
  }
}

std::string url_of(const Endpoint& endpoint) {
  const auto& engine = traits(endpoint.engine);
  return engine.is_file ? std::string(engine.schemes.front()) + endpoint.file.string()
                        : endpoint.url;
}

/// Replaces a file, or what a symbolic link leads to. An existing file keeps its permissions.
void replace(const fs::path& named, std::string_view text) {
  std::error_code no_link;
  const auto file = fs::is_symlink(named, no_link) ? fs::weakly_canonical(named) : named;
  struct stat status {};
  const bool there = ::stat(file.c_str(), &status) == 0;
  try {
    replace_file(file, text, there ? status.st_mode & 0777U : kReadable);
  } catch (const std::system_error& error) {
    cannot("write", file, error.code().value());
  }
}

/// Empty where there is no file. Throws Failure where it cannot be read: taken for empty, it would
/// be overwritten, and what people have written in it would be lost.
std::string read(const fs::path& file) {
  std::error_code error;
  const auto status = fs::symlink_status(file, error);
  if (!fs::exists(status)) {
    return {};
  }
  if (!fs::is_regular_file(status)) {
    throw Failure(
        Code::configuration,
        fmt::format("'{}' is no regular file: no lines can be added to it", file.string()),
        fmt::format("put a file of its own in its place, or move it away: mv {0} {0}.old",
                    contract::in_shell(file.string())));
  }
  std::ifstream in(file, std::ios::binary);
  std::ostringstream text;
  if (in.peek() != std::ifstream::traits_type::eof()) {
    text << in.rdbuf();
  }
  if (!in.is_open() || in.bad() || text.bad()) {
    cannot("read", file, EACCES);
  }
  return text.str();
}

/// A line of .gitignore that matches this path and nothing else.
std::string ignored(const fs::path& path) {
  std::string line = "/";
  for (const char c : path.generic_string()) {
    line += std::string_view("\\*?[ ").find(c) == std::string_view::npos ? "" : "\\";
    line += c;
  }
  return line;
}

fs::path gitignore_of(const fs::path& directory) {
  return directory / ".gitignore";
}

/// Adds to .gitignore what must not get into git, and keeps what people have written there.
fs::path keep_out_of_git(const fs::path& directory, const std::vector<fs::path>& secrets) {
  auto file = gitignore_of(directory);
  auto text = read(file);
  const auto before = text;
  const auto add = [&](const std::string& line) {
    if (("\n" + text + "\n").find("\n" + line + "\n") == std::string::npos) {
      text += (text.empty() || text.ends_with('\n') ? "" : "\n") + line + "\n";
    }
  };
  for (const auto& secret : secrets) {
    const auto inside = secret.lexically_relative(fs::absolute(directory).lexically_normal());
    if (!inside.empty() && *inside.begin() != ".." && inside != ".") {
      add(ignored(inside));
    }
  }
  add("*.pass");
  if (text != before) {
    replace(file, text);
  }
  return file;
}

/// Asks one database. Where that fails, the file says why.
report::Rights ask(std::string_view database,
                   const std::function<void(report::Rights&)>& question) {
  report::Rights side{.database = database, .grants = {}, .identity = {}, .unknown = {}};
  try {
    question(side);
  } catch (const Failure& failure) {
    side.unknown = failure.error();
  }
  return side;
}

void ask_primary(const Pairing& pairing, report::Rights& side) {
  side.grants = grants_in_primary(pairing);
  side.identity = db::Source(pairing.config.primary).catalog().identity;
}

void ask_secondary(const Pairing& pairing, report::Rights& side) {
  if (!traits(pairing.config.secondary.engine).is_file) {
    side.grants = grants_in_secondary(pairing);
    db::Target target(pairing.config.secondary, db::Mode::dry);
    target.load_catalog();
    side.identity = target.catalog().identity;
  }
}

bool have_roles(const Endpoint& primary, const Endpoint& secondary) {
  return !traits(primary.engine).is_file || !traits(secondary.engine).is_file;
}

/// Where several pairings share a directory, each has its own grants.sql.
fs::path grants_of(const fs::path& config) {
  const auto name = config.stem().string();
  return config.parent_path() / (name == "abgleich" ? kGrants : name + "-" + kGrants);
}

/// Throws Failure where there is a file that `init` has not made, so that it is not replaced.
void expect_ours(const fs::path& grants) {
  if (const auto text = read(grants); !text.empty() && !report::is_grants_file(text)) {
    throw Failure(
        Code::configuration,
        fmt::format("'{}' is there already, and init has not made it", grants.string()),
        fmt::format("move it away: mv {0} {0}.old; then run it again. Nothing was written",
                    contract::in_shell(grants.string())));
  }
}

/// grants.sql, where one of the databases has roles.
std::optional<fs::path> write_grants(const fs::path& config, const OnStatement& on_statement) {
  // whether others may write to these files is checked by the commands that read rows
  const auto pairing = load_pairing(config, contract::Trust::beside_the_point, on_statement);
  if (!have_roles(pairing.config.primary, pairing.config.secondary)) {
    return std::nullopt;
  }
  auto file = grants_of(config);
  replace(file, report::grants_file(
                    ask("primary", [&](report::Rights& side) { ask_primary(pairing, side); }),
                    ask("secondary", [&](report::Rights& side) { ask_secondary(pairing, side); })));
  return file;
}

/// Throws Failure where the file exists: of an earlier `init`, or of people.
void expect_new(const fs::path& file, const fs::path& config) {
  if (!fs::exists(fs::symlink_status(file))) {
    return;
  }
  const auto instead =
      fs::is_regular_file(config)
          ? fmt::format(
                "to add what is new in the primary to its contract, run: abgleich --config "
                "{} init --again",
                contract::in_shell(config.string()))
          : fmt::format("to have it made, move it away: mv {0} {0}.old",
                        contract::in_shell(file.string()));
  throw Failure(
      Code::configuration, fmt::format("'{}' is there already", file.string()),
      fmt::format("init never overwrites: choose another --directory, or, {}. Nothing was "
                  "written",
                  instead));
}

void make_directory(const fs::path& directory) {
  std::error_code error;
  fs::create_directories(directory, error);
  if (error) {
    throw Failure(Code::configuration,
                  fmt::format("cannot make the directory '{}'", directory.string()),
                  "look at its parent's rights");
  }
}

}  // namespace

Made init(const Beginning& beginning, const OnStatement& on_statement) {
  const auto& directory = beginning.directory;
  Made made{.config = directory / "abgleich.toml",
            .contract = directory / "contract.toml",
            .catalog = directory / "catalog.json",
            .key = directory / "abgleich.key"};
  for (const auto& file : {made.config, made.contract, made.catalog, made.key}) {
    expect_new(file, made.config);
  }
  (void)read(gitignore_of(directory));  // throws where nothing can be added to it
  // Here relative paths refer to the working directory; in the file they would refer to its
  // directory.
  const auto here = fs::current_path();
  auto primary = contract::parse_endpoint(Role::primary, beginning.primary, here);
  primary.on_statement = on_statement;
  const auto secondary = contract::parse_endpoint(Role::secondary, beginning.secondary, here);
  if (have_roles(primary, secondary)) {
    expect_new(directory / kGrants, made.config);
  }
  const auto catalog = db::Source(primary).catalog();
  make_directory(directory);
  write_new(made.config, contract::config_text(url_of(primary), url_of(secondary)));
  const auto text = contract::contract_text(catalog);
  write_new(made.contract, text);
  drift::write_catalog(catalog, made.catalog);
  mask::Keyring::generate(made.key);
  const auto there = fs::absolute(directory).lexically_normal();
  made.ignore =
      keep_out_of_git(directory, {there / "abgleich.key", there / "node.key", there / "state"});
  made.grants = write_grants(made.config, on_statement);
  made.tables = catalog.tables.size();
  made.exported = contract::parse_contract(text, made.contract).tables.size();
  return made;
}

Made init_again(const fs::path& config, const OnStatement& on_statement) {
  const auto configured = load_config(config);
  Made made{.config = config,
            .contract = configured.contract,
            .catalog = configured.catalog,
            .key = configured.key_file};
  auto primary = configured.primary;
  primary.on_statement = on_statement;
  const auto directory = config.has_parent_path() ? config.parent_path() : fs::path(".");
  (void)read(gitignore_of(directory));
  expect_ours(grants_of(config));
  const auto live = db::Source(primary).catalog();
  if (fs::exists(made.contract)) {
    const auto pairing = load_pairing(config, contract::Trust::needed, on_statement);
    // a contract that names no table has decided nothing
    const bool decided = pairing.accepted && !pairing.contract.tables.empty();
    made.again = contract::guess_again(pairing.contract_text, pairing.contract, live,
                                       decided ? &*pairing.accepted : nullptr);
    if (made.again.text != pairing.contract_text) {
      replace(made.contract, made.again.text);
    }
  } else {
    made.again.text = contract::contract_text(live);
    write_new(made.contract, made.again.text);
    for (const auto& table : contract::parse_contract(made.again.text, made.contract).tables) {
      made.again.tables.push_back(table.name);
    }
  }
  made.ignore = keep_out_of_git(
      directory, {configured.key_file, configured.identity, configured.state_directory});
  made.grants = write_grants(config, on_statement);
  made.tables = live.tables.size();
  made.exported = contract::parse_contract(made.again.text, made.contract).tables.size();
  return made;
}

}  // namespace abgleich::sync
