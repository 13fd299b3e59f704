# shellcheck shell=bash disable=SC2034
# What the examples that anyone can run have in common. To be sourced by bash.
#
# With EXAMPLE_BINARY=FILE nothing is installed or built, and that program is shown (the tests do so).

if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then bold=$'\e[1m' plain=$'\e[0m'; else bold='' plain=''; fi

say() { printf '\n%s%s%s\n' "$bold" "$*" "$plain"; }

fail() {
  printf '\n%s: %s\n' "$(basename "$(dirname "$0")")" "$*" >&2
  exit 1
}

# expect CODE COMMAND: prints the command, runs it as printed, and checks its exit code.
expect() {
  printf '$ %s\n' "$2"
  local status=0
  eval "$2" || status=$?
  [ "$status" -eq 0 ] || printf '(exit code %d)\n' "$status"
  [ "$status" -eq "$1" ] || fail "expected exit code $1, not $status"
}
run() { expect 0 "$1"; }

# promised WHAT DATABASE QUERY VALUE: the script itself checks what it says.
promised() {
  local found
  found=$(sqlite3 -batch -list -noheader "$2" "$3")
  [ "$found" = "$4" ] || fail "not as promised: $1: '$found' instead of '$4'"
}

# Installs what is missing and builds the program, unless there is one. Sets `built` to the directory
# of the program, and puts it first in PATH.
prepare_program() {
  local top
  top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
  if [ -n "${EXAMPLE_BINARY:-}" ]; then
    built=$(cd "$(dirname "$EXAMPLE_BINARY")" && pwd)
  elif [ ! -d "$top/examples/quickstart" ]; then # installed, as documentation, with the program
    built=$(dirname "$(command -v abgleich)")
  else
    local packages
    mapfile -t packages < <(sed 's/#.*//; /^ *$/d' "$top/examples/quickstart/packages")
    (cd "$top" && examples/quickstart/install "${packages[@]}")
    say 'Build: optimised and hardened, in build/release.'
    (cd "$top" && examples/quickstart/build release -DBUILD_TESTING=OFF)
    built=$top/build/release
  fi
  PATH=$built:$PATH
  unset "${!ABGLEICH_@}" # the reader's own configuration must not be used here
}

# prepare_directory NAME [DIRECTORY]: makes the directory of the demonstration, by default a new one
# below /tmp, and sets `demo` to it.
prepare_directory() {
  if [ $# -gt 1 ]; then
    mkdir -- "$2" || fail "'$2' has to be a new directory"
    demo=$(cd "$2" && pwd)
  else
    demo=$(mktemp --directory "${TMPDIR:-/tmp}/abgleich-$1.XXXXXX")
  fi
}
