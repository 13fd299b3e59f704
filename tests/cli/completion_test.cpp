// What a shell offers when the key is pressed: commands, options, and names that the program knows.
#include "support/pairing.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <sstream>

namespace abgleich::test {

namespace {

namespace fs = std::filesystem;

const char* const kContract = R"([tables.person]
key = ["id"]
[tables.person.columns]
id = { class = "pseudonym", identity = "subject" }
status = "plain"
[tables.visit]
key = ["id"]
[tables.visit.columns]
id = { class = "pseudonym", identity = "visit" }
)";

/// A pairing with one run, and one conflict in the second.
class Scene : public Pairing {
 public:
  explicit Scene(On engine) : Pairing(engine, engine, kContract) {
    primary.run(
        "CREATE TABLE person (id integer PRIMARY KEY, status text);"
        "CREATE TABLE visit (id integer PRIMARY KEY);"
        "INSERT INTO person VALUES (1, 'Canary')");
    REQUIRE(run({"sync"}).exit == 0);
    primary.run("UPDATE person SET status = 'CanaryToo'");
    secondary.run("UPDATE person SET status = 'CanaryThree'");
    REQUIRE(run({"sync"}).exit == 10);
  }

  /// What the shell's script is asked with and says, a line each.
  std::string shell(const std::string& name, const std::string& script) {
    const auto path = fs::path(kProgram).parent_path().string() + ":/usr/bin:/bin";
    const auto ran = run_program({"/usr/bin/env", name, "-c", script}, directory.path().string(),
                                 {"PATH=" + path, "HOME=" + directory.path().string()});
    CHECK_MESSAGE(ran.err == "", name, ": ", script);
    return ran.out;
  }

  /// The words that `line` can end with; its last word is the one that is typed.
  std::string in_bash(const std::string& line) {
    return shell("bash",
                 "source <(abgleich completion bash); compopt() { :; };"
                 "IFS=' ' read -r -a COMP_WORDS <<<'abgleich " +
                     line + "'; case '" + line +
                     "' in *' ' | '') COMP_WORDS+=('') ;; esac;"
                     "COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _abgleich abgleich;"
                     "printf '%s\\n' \"${COMPREPLY[@]}\" | sort");
  }
  std::string in_zsh(const std::string& line) {
    return shell("zsh",
                 "compdef() { }; compadd() { print -rl -- ${(P)2} };"
                 "_files() { local f; for f in *(N); do [[ $f = ${~@[-1]} ]] || print -r -- $f;"
                 " done }; compset() { typed=${typed#*=} };"
                 "source <(abgleich completion zsh); line='abgleich " +
                     line +
                     "'; words=(${=line}); [[ $line = *' ' ]] && words+=('');"
                     "CURRENT=${#words}; typed=${words[CURRENT]}; answers=$(mktemp);"
                     "_abgleich >$answers; grep -e \"^$typed\" $answers | sort; rm $answers");
  }
  std::string in_fish(const std::string& line) {
    return shell("fish", "abgleich completion fish | source; complete -C 'abgleich " + line +
                             "' | string replace -r '\\t.*' '' | sort");
  }
};

std::string words(std::vector<std::string> list) {
  std::ranges::sort(list);
  std::string text;
  for (const auto& word : list) {
    text += word + "\n";
  }
  return text;
}

std::string lines_of(const std::string& text, const std::string& field) {
  std::vector<std::string> list;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    list.push_back(nlohmann::json::parse(line)[field].get<std::string>());
  }
  return words(list);
}

}  // namespace

TEST_CASE("completion: every shell offers commands, options, tables, runs and conflicts") {
  for (const auto engine : kEngines) {
    CAPTURE(name_of(engine));
    Scene scene(engine);
    const auto conflicts = lines_of(scene.run({"conflicts", "--json"}).out, "id");
    auto runs = lines_of(scene.run({"log", "--json"}).out, "run");
    runs = "latest\n" + runs;
    for (const auto& [name, ask] :
         {std::pair("bash", &Scene::in_bash), std::pair("zsh", &Scene::in_zsh),
          std::pair("fish", &Scene::in_fish)}) {
      CAPTURE(name);
      const auto offered = [&, &asked = ask](const std::string& line) {
        return (scene.*asked)(line);
      };
      CHECK(offered("res") == words({"resolve", "restore", "resume"}));
      CHECK(offered("drift ac") == words({"accept"}));
      CHECK(offered("drift accept --tab") == words({"--table"}));
      CHECK(offered("sync --dry") == words({"--dry-run"}));
      CHECK(offered("sync --no-pr") == words({"--no-progress"}));
      CHECK(offered("diff ") == words({"person", "visit"}));
      CHECK(offered("diff person v") == words({"visit"}));
      CHECK(offered("sync --accept-mass-change p") == words({"person"}));
      CHECK(offered("show ") == runs);
      CHECK(offered("show latest v") == words({"visit"}));
      CHECK(offered("resolve ") == conflicts);
      CHECK(offered("resolve --take ") == words({"primary", "secondary"}));
      CHECK(offered("token --identity s") == words({"subject"}));
      CHECK(offered("contract add person.s") == words({"person.status"}));
      CHECK(offered("completion ") == words({"bash", "fish", "zsh"}));
      CHECK(offered("--config nowhere.toml diff ").find("person") == std::string::npos);
      CHECK(offered("--config=nowhere.toml diff ").find("person") == std::string::npos);
      CHECK(offered("--config=abgleich.toml diff p") == words({"person"}));
      CHECK(offered("help") == words({"help"}));
      CHECK(offered("help dri") == words({"drift"}));
      CHECK(offered("help ") == offered(""));
      CHECK(offered("help drift ac") == words({"accept"}));
      CHECK(offered("--config abgleich.t") == words({"abgleich.toml"}));
      for (const std::string file : {"peer add ", "peer card ", "drift snapshot "}) {
        CHECK(offered(file + "abgleich.") == words({"abgleich.key", "abgleich.toml"}));
      }
    }
  }
}

TEST_CASE("completion: a file stands behind --config= as well, and none is taken for an option") {
  Scene scene(On::sqlite);
  CHECK(scene.in_zsh("--config=abgleich.t") == words({"abgleich.toml"}));
  CHECK(scene.in_zsh("resolve --take=p") == words({"primary"}));
  CHECK(scene.in_fish("--config=abgleich.t") == words({"--config=abgleich.toml"}));
  CHECK(scene.in_fish("resolve --take=p") == words({"--take=primary"}));
  // bash gives the three parts of such a word
  CHECK(scene.in_bash("--config = abgleich.t") == words({"abgleich.toml"}));
  CHECK(scene.in_bash("--config = nowhere.toml diff ").find("person") == std::string::npos);
  write_file(scene.directory / "-x.card", "");
  for (const auto ask : {&Scene::in_bash, &Scene::in_zsh, &Scene::in_fish}) {
    const auto files = (scene.*ask)("peer add ");
    CHECK(files.find("abgleich.toml\n") != std::string::npos);
    CHECK_FALSE(files.starts_with('-'));
    CHECK_MESSAGE(files.find("\n-") == std::string::npos, files);
  }
  CHECK(scene.in_bash("peer add ").find("./-x.card\n") != std::string::npos);
  scene.set_contract("[tables.-x]\nkey = [\"id\"]\n[tables.-x.columns]\nid = \"plain\"\n");
  CHECK(scene.run({"complete", "tables"}).out.empty());
  CHECK(scene.run({"complete", "columns"}).out.empty());
}

TEST_CASE("completion: what a shell asks never fails, complains or prints a value") {
  Scene scene(On::sqlite);
  for (const auto* kind :
       {"tables", "columns", "identities", "runs", "conflicts", "profiles", "nonsense"}) {
    CAPTURE(kind);
    const auto ran = scene.run({"complete", kind});
    CHECK(ran.exit == 0);
    CHECK(ran.err.empty());
    CHECK(ran.out.find("Canary") == std::string::npos);
    const auto nowhere = scene.run({"--config", "nowhere.toml", "complete", kind});
    CHECK(nowhere.exit == 0);
    CHECK(nowhere.err.empty());
  }
  scene.set_contract(
      "[tables.\"two words; rm\"]\nkey = [\"id\"]\n[tables.\"two words; rm\""
      ".columns]\nid = \"plain\"\n");
  CHECK(scene.run({"complete", "tables"}).out.empty());
  scene.set_contract("broken");
  const auto broken = scene.run({"complete", "tables"});
  CHECK(broken.exit == 0);
  CHECK(broken.err.empty());
}

TEST_CASE("help: `help COMMAND` is `COMMAND --help`, and fits 80 columns, for every command") {
  Scene scene(On::sqlite);
  CHECK(scene.run({"help"}).out == scene.run({"--help"}).out);
  CHECK(scene.run({"-V"}).out == scene.run({"--version"}).out);
  std::istringstream pages(scene.shell("bash",
                                       "source <(abgleich completion bash); echo; for command in "
                                       "$(_abgleich_table '' commands); do echo \"$command\";"
                                       "for inner in $(_abgleich_table \"$command\" commands); do"
                                       " echo \"$command $inner\"; done; done"));
  int seen = 0;
  for (std::string page; std::getline(pages, page); ++seen) {
    CAPTURE(page);
    std::vector<std::string> command;
    std::istringstream parts(page);
    for (std::string part; parts >> part;) {
      command.push_back(part);
    }
    auto asked = command;
    asked.emplace_back("--help");
    const auto help = scene.run(asked);
    CHECK(help.exit == 0);
    asked = command;
    asked.insert(asked.begin(), "help");
    CHECK(scene.run(asked).out == help.out);
    std::istringstream lines(help.out);
    for (std::string line; std::getline(lines, line);) {
      CHECK_MESSAGE(line.size() <= 80, line);
    }
  }
  CHECK(seen > 25);
  const auto wrong = scene.run({"help", "drift", "acept"});
  CHECK(wrong.exit == 64);
  CHECK(wrong.err ==
        "error: unknown command 'acept'\nhint: did you mean 'accept'? see what there "
        "is: abgleich drift --help\n");
}

}  // namespace abgleich::test
