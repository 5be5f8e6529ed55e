#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What demo.sh, test.sh and tests/benchmarks/peers/run share: packages, build and Python environment, each made only
# where it is missing. To be sourced; run by itself, it installs the packages.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# step WORDS COMMAND...: says what is done, does it, says how long it took.
step() {
  local words=$1 start=$SECONDS
  shift
  echo "== $words"
  "$@"
  echo "== $words: $((SECONDS - start)) s"
}

# missing_packages LIST
missing_packages() {
  sed 's/#.*//' "$1" | xargs -n 1 | while read -r package; do
    [[ $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) == installed ]] || echo "$package"
  done
}

# install_packages [LIST]
# Asks for apt, and for sudo, only when a package is missing: a second run needs neither root nor a network.
install_packages() {
  local list=${1:-packages.txt} missing
  missing=$(missing_packages "$list")
  if [[ -z $missing ]]; then
    echo "all packages of $list are installed"
    return
  fi
  if ! command -v apt-get >/dev/null; then
    echo "setup.sh: no apt-get here; install what $list names" >&2
    exit 1
  fi
  local root=()
  if [[ $(id -u) -ne 0 ]]; then root=(sudo); fi
  "${root[@]}" apt-get update -q
  # shellcheck disable=SC2086  # One word a package.
  "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $missing
}

# build PRESET [TARGET...]
# Builds these targets, or everything.
build() {
  # Once configured, the build itself sees to changes of the CMake files.
  [[ -f build/$1/build.ninja ]] || cmake --preset "$1"
  cmake --build --preset "$1" ${2:+--target "${@:2}"}
}

# make_python [LIST FOLDER [ARGUMENTS OF PIP...]]
# The environment is complete when it holds the very list that it was made from.
make_python() {
  local list=${1:-tests/python/requirements.txt} folder=${2:-build/python} python=python3
  if cmp -s "$list" "$folder/requirements.txt"; then
    echo "$folder is complete"
    return
  fi
  # Debian's own python3 is the one that python3-venv belongs to.
  if [[ -x /usr/bin/python3 ]]; then python=/usr/bin/python3; fi
  rm -rf "$folder"
  "$python" -m venv "$folder"
  "$folder/bin/pip" install --quiet --disable-pip-version-check -r "$list" "${@:3}"
  cp "$list" "$folder/requirements.txt"
}

if [[ ${BASH_SOURCE[0]} == "$0" ]]; then
  step "Installing packages" install_packages
fi
