#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Shows what clang-format-19 and clang-tidy-19 find in our sources, without changing files. Exits with 1 if they find
# anything.
#
#   tools/tidy.sh [FILE.cc...]      all sources, or these: clang-tidy takes about ten seconds per file and core
#
# clang-tidy reads from build/release how a file is compiled: run tools/test.sh before.
set -euo pipefail
cd "$(dirname "$0")/.."

[[ -f build/release/compile_commands.json ]] || cmake --preset release

if [[ $# -gt 0 ]]; then
  formatted=("$@")
  tidied=("$@")
else
  mapfile -t formatted < <(git ls-files '*.h' '*.cc' '*.c')
  # Only sources that this build compiles; examples/plugins and tests/install have builds of their own.
  mapfile -t tidied < <(git ls-files '*.cc' | while read -r file; do
    if grep -qF "\"file\": \"$PWD/$file\"" build/release/compile_commands.json; then echo "$file"; fi
  done)
fi

status=0
echo "== clang-format: ${#formatted[@]} files"
clang-format-19 --dry-run -Werror "${formatted[@]}" || status=1
echo "== clang-tidy: ${#tidied[@]} files"
printf '%s\0' "${tidied[@]}" | xargs -0 -n 1 -P 2 clang-tidy-19 -p build/release --quiet --warnings-as-errors='*' ||
  status=1
exit $status
