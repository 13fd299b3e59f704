#include "completion.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <functional>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

namespace abgleich::cmd {

namespace {

/// What can complete a value: a kind of name that `abgleich complete` prints, "file", "directory",
/// "commands", "=" followed by words to choose from, or nothing.
std::string kind_of(const OptionShape& option) {
  using Kind = std::pair<std::string_view, std::string_view>;
  constexpr std::array<Kind, 2> kOfOption{
      {{"--profile", "profiles"}, {"--identity", "identities"}}};
  constexpr std::array<Kind, 8> kOfValue{{{"FILE", "file"},
                                          {"DIR", "directory"},
                                          {"DIRECTORY", "directory"},
                                          {"TABLE", "tables"},
                                          {"RUN", "runs"},
                                          {"ID", "conflicts"},
                                          {"TABLE.COLUMN", "columns"},
                                          {"COMMAND", "commands"}}};
  if (!option.words.empty()) {
    return fmt::format("={}", fmt::join(option.words, ","));
  }
  for (const auto& [name, kind] : kOfOption) {
    if (std::ranges::find(option.names, name) != option.names.end()) {
      return std::string(kind);
    }
  }
  const auto* found = std::ranges::find(kOfValue, option.value, &Kind::first);
  return found == kOfValue.end() ? std::string() : std::string(found->second);
}

/// In single quotes, as all three shells read them.
std::string quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  }
  return out + "'";
}

struct Flat {
  std::string path;  // "drift accept"
  const CommandShape* command;
};

void flatten(const CommandShape& command, const std::string& path, std::vector<Flat>& all) {
  all.push_back({path, &command});
  for (const auto& inner : command.commands) {
    flatten(inner, path.empty() ? inner.name : path + " " + inner.name, all);
  }
}

std::vector<Flat> flat(const CommandShape& program) {
  std::vector<Flat> all;
  flatten(program, "", all);
  return all;
}

/// The lines of the table that bash and zsh look things up in: `path:what) echo 'list' ;;`.
std::string table_of(const CommandShape& program) {
  std::string table;
  const auto row = [&](const std::string& path, std::string_view what,
                       const std::vector<std::string>& list) {
    if (!list.empty()) {
      table += fmt::format("    {}) echo {} ;;\n", quoted(path + ":" + std::string(what)),
                           quoted(fmt::format("{}", fmt::join(list, " "))));
    }
  };
  for (const auto& [path, command] : flat(program)) {
    std::vector<std::string> options;
    std::vector<std::string> values;
    std::vector<std::string> arguments;
    std::vector<std::string> commands;
    for (const auto& option : command->options) {
      const auto kind = kind_of(option);
      if (option.argument) {
        arguments.push_back(kind.empty() ? "nothing" : kind);
        continue;
      }
      for (const auto& name : option.names) {
        options.push_back(name);
        if (!option.value.empty()) {
          values.push_back(name + ":" + (kind.empty() ? "nothing" : kind));
        }
      }
    }
    for (const auto& inner : command->commands) {
      commands.push_back(inner.name);
    }
    row(path, "options", options);
    row(path, "values", values);
    row(path, "arguments", arguments);
    row(path, "commands", commands);
  }
  return table;
}

/// What bash and zsh do with the table of `functions_of`: the same in both. It begins where the
/// table's rows end.
constexpr std::string_view kTableReaders = R"(    *) ;;
  esac
}

# what stands for the value of an option of a command, or of the program; nothing: it takes none
_abgleich_value() {
  local entry
  for entry in $(_abgleich_table "$1" values) $(_abgleich_table '' values); do
    if [ "${entry%%:*}" = "$2" ]; then
      echo "${entry#*:}"
      return
    fi
  done
}

# Reads the words before the one that is typed. Sets: command, kind (of what is typed), topic (the
# command that help is asked of), asked (the options that say which pairing is meant).
_abgleich_read() {
  local word value='' count=0
  command='' kind='' topic='' asked=()
  for word in "$@"; do
    if [ -n "$value" ]; then
      [ "$word" = '=' ] && continue
      case "$option" in
        --config | --profile | --profiles) asked+=("$option" "$word") ;;
        *) ;;
      esac
      value=''
      continue
    fi
    case "$word" in
      --config=* | --profile=* | --profiles=*) asked+=("$word") ;;
      -*=*) ;;
      -*)
        option=$word
        value=$(_abgleich_value "$command" "$word")
        ;;
      *)
        if [[ " $(_abgleich_table "$command" commands) " = *" $word "* ]]; then
          command="${command:+$command }$word"
        else
          count=$((count + 1))
          topic="${topic:+$topic }$word"
        fi
        ;;
    esac
  done
  if [ -n "$value" ]; then
    kind=$value
    return
  fi
  # the last of several arguments may be given again
  for word in $(_abgleich_table "$command" arguments); do
    kind=$word
    [ "$count" -eq 0 ] && return
    count=$((count - 1))
  done
}

# the words that a kind stands for
_abgleich_words() {
  local program=$1 kind=$2
  shift 2
  case "$kind" in
    '='*) echo "${kind#=}" | tr ',' '\n' ;;
    commands) _abgleich_table "$topic" commands | tr ' ' '\n' ;;
    nothing | '') ;;
    *) "$program" "$@" complete "$kind" 2>/dev/null ;;
  esac
}
)";

/// The functions that bash and zsh have in common.
std::string functions_of(const CommandShape& program) {
  return "# what a command has: options, values (of options), arguments, commands\n"
         "_abgleich_table() {\n"
         "  case \"$1:$2\" in\n" +
         table_of(program) + std::string(kTableReaders);
}

}  // namespace

std::string bash_completion(const CommandShape& program) {
  return "# shellcheck shell=bash\n"
         "# bash completion of abgleich, made by: abgleich completion bash\n\n" +
         functions_of(program) + R"(
_abgleich() {
  local current=${COMP_WORDS[COMP_CWORD]} command kind topic option='' list=''
  local -a asked before
  before=("${COMP_WORDS[@]:1:COMP_CWORD-1}")
  [ "$current" = '=' ] && current=''
  _abgleich_read "${before[@]}"
  case "$current:$kind" in
    -*)
      list=$(_abgleich_table "$command" options; _abgleich_table '' options)
      ;;
    *:file)
      compopt -o filenames
      mapfile -t COMPREPLY < <(compgen -f -- "$current")
      COMPREPLY=("${COMPREPLY[@]/#-/./-}") # or it would be an option
      return
      ;;
    *:directory)
      compopt -o filenames
      mapfile -t COMPREPLY < <(compgen -d -- "$current")
      COMPREPLY=("${COMPREPLY[@]/#-/./-}")
      return
      ;;
    *:) list=$(_abgleich_table "$command" commands) ;;
    *) list=$(_abgleich_words "$1" "$kind" "${asked[@]}") ;;
  esac
  mapfile -t COMPREPLY < <(compgen -W "$list" -- "$current")
}
complete -F _abgleich abgleich
)";
}

std::string zsh_completion(const CommandShape& program) {
  return "#compdef abgleich\n"
         "# zsh completion of abgleich, made by: abgleich completion zsh\n\n" +
         functions_of(program) +
         R"(
_abgleich() {
  emulate -L zsh
  setopt sh_word_split
  local command kind topic option='' list=''
  local -a asked found
  _abgleich_read "${words[@]:1:$((CURRENT - 2))}"
  if [[ ${words[CURRENT]} = --*=* ]]; then
    kind=$(_abgleich_value "$command" "${words[CURRENT]%%=*}")
    kind=${kind:-nothing}
    compset -P 1 '*='
  elif [[ ${words[CURRENT]} = -* ]]; then
    found=($(_abgleich_table "$command" options) $(_abgleich_table '' options))
    compadd -a found
    return
  fi
  case "$kind" in
    file) _files -F '-*' ;; # or it would be an option
    directory) _files -/ -F '-*' ;;
    '')
      found=($(_abgleich_table "$command" commands))
      compadd -a found
      ;;
    *)
      list=$(_abgleich_words "${words[1]}" "$kind" "${asked[@]}")
      found=(${(f)list})
      compadd -a found
      ;;
  esac
}

if [ "$funcstack[1]" = _abgleich ]; then
  _abgleich "$@"
else
  compdef _abgleich abgleich
fi
)";
}

namespace {

/// The options of all commands that take a value.
std::set<std::string> valued_options(const std::vector<Flat>& all) {
  std::set<std::string> valued;
  for (const auto& [path, command] : all) {
    for (const auto& option : command->options) {
      if (!option.argument && !option.value.empty()) {
        valued.insert(option.names.begin(), option.names.end());
      }
    }
  }
  return valued;
}

/// What fish offers for a value of this kind, as options of its `complete`.
std::string fish_values(const std::string& kind) {
  if (kind.empty()) {
    return " -x";
  }
  if (kind == "file") {
    return " -r -F";
  }
  if (kind == "directory") {
    return " -x -a '(__fish_complete_directories)'";
  }
  if (kind.front() == '=') {
    auto words = kind.substr(1);
    std::ranges::replace(words, ',', ' ');
    return " -x -a " + quoted(words);
  }
  return fmt::format(" -x -a '(__abgleich_names {})'", kind);
}

/// The arguments of one command, by their position after it.
std::string fish_arguments(const std::string& path, const CommandShape& command) {
  std::string text;
  std::size_t place = 0;
  const auto arguments =
      static_cast<std::size_t>(std::ranges::count_if(command.options, &OptionShape::argument));
  for (const auto& option : command.options) {
    if (!option.argument) {
      continue;
    }
    const auto here = fmt::format("__abgleich_argument {} {} {}", quoted(path), place,
                                  place + 1 == arguments ? "last" : "inner");
    ++place;
    const auto kind = kind_of(option);
    if (kind == "file") {
      text +=
          fmt::format("complete -c abgleich -n {} -F\n", quoted(here + "; and __abgleich_typed"));
      text += fmt::format("complete -c abgleich -n {} -a '(__abgleich_files)'\n",
                          quoted(here + "; and not __abgleich_typed"));
    } else if (!kind.empty() && kind != "commands") {
      text +=
          fmt::format("complete -c abgleich -n {}{}\n", quoted(here), fish_values(kind).substr(3));
    }
  }
  return text;
}

std::string fish_options(const std::string& path, const CommandShape& command) {
  const auto where =
      path.empty() ? std::string() : fmt::format(" -n {}", quoted("__abgleich_in " + quoted(path)));
  std::string text;
  for (const auto& option : command.options) {
    if (option.argument) {
      continue;
    }
    text += "complete -c abgleich" + where;
    for (const auto& name : option.names) {
      text += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
    }
    text += (option.value.empty() ? "" : fish_values(kind_of(option))) +
            fmt::format(" -d {}\n", quoted(option.description));
  }
  return text;
}

/// What fish runs while a command is typed. `{}` stands for the options that take a value.
constexpr std::string_view kFishFunctions =
    R"(# fish completion of abgleich, made by: abgleich completion fish

# the words before the one that is typed, without options and what they take
function __abgleich_words
    set -l skip no
    for word in (commandline -opc)[2..-1]
        if test $skip = yes
            set skip no
        else if contains -- $word {}
            set skip yes
        else if not string match -q -- '-*' $word
            echo -- $word
        end
    end
end

# whether they begin with a command, and end with it where another one may follow
function __abgleich_in
    set -l wanted (string split ' ' -- $argv[1])
    set -l given (__abgleich_words)
    test "$given[1..$(count $wanted)]" = "$wanted"
end
function __abgleich_at
    set -l given (__abgleich_words)
    test "$given" = "$argv[1]"
end

# whether the argument of that number is typed, or one after it where it is the last
function __abgleich_argument
    __abgleich_in $argv[1]; or return 1
    set -l wanted (string split ' ' -- $argv[1])
    set -l given (__abgleich_words)
    set -l place (math (count $given) - (count $wanted))
    test $place -eq $argv[2]; or test $argv[3] = last -a $place -gt $argv[2]
end

# names of one kind, of the pairing that is meant
function __abgleich_names
    set -l asked
    set -l words (commandline -opc)
    for i in (seq 2 (count $words))
        if contains -- $words[$i] --config --profile --profiles; and test $i -lt (count $words)
            set -a asked $words[$i] $words[(math $i + 1)]
        else if string match -qr -- '^--(config|profile|profiles)=' $words[$i]
            set -a asked $words[$i]
        end
    end
    command abgleich $asked complete $argv[1] 2>/dev/null
end

# where nothing is typed yet: files, of which none is to be taken for an option
function __abgleich_typed
    string length -q -- (commandline -ct)
end
function __abgleich_files
    for file in *
        test -d $file; and set file $file/
        string replace -r '^-' './-' -- $file
    end
end

complete -c abgleich -f
)";

}  // namespace

std::string fish_completion(const CommandShape& program) {
  const auto all = flat(program);
  std::string text = fmt::format(kFishFunctions, fmt::join(valued_options(all), " "));
  for (const auto& [path, command] : all) {
    for (const auto& inner : command->commands) {
      for (const auto& at : {path, path.empty() ? "help" : "help " + path}) {
        text += fmt::format("complete -c abgleich -n {} -a {} -d {}\n",
                            quoted("__abgleich_at " + quoted(at)), inner.name,
                            quoted(inner.description));
      }
    }
    text += fish_arguments(path, *command) + fish_options(path, *command);
  }
  return text;
}

}  // namespace abgleich::cmd
