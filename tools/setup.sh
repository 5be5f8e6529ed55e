#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Functions shared by demo.sh, test.sh and tests/benchmarks/peers/run: packages, build and Python environment, each made
# only if missing. Meant to be sourced; run directly, it installs the packages.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# step TITLE COMMAND...: prints the title, runs the command, prints the time it took.
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
# Uses apt and sudo only if a package is missing: a second run needs neither root nor a network.
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
  # shellcheck disable=SC2086  # One word per package.
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
# The environment is complete if it contains a copy of the list that it was made from.
make_python() {
  local list=${1:-tests/python/requirements.txt} folder=${2:-build/python} python=python3
  if cmp -s "$list" "$folder/requirements.txt"; then
    echo "$folder is complete"
    return
  fi
  # python3-venv belongs to Debian's own python3.
  if [[ -x /usr/bin/python3 ]]; then python=/usr/bin/python3; fi
  rm -rf "$folder"
  "$python" -m venv "$folder"
  "$folder/bin/pip" install --quiet --disable-pip-version-check -r "$list" "${@:3}"
  cp "$list" "$folder/requirements.txt"
}

if [[ ${BASH_SOURCE[0]} == "$0" ]]; then
  step "Installing packages" install_packages
fi
