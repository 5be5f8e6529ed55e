#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Says what clang-format-19 and clang-tidy-19 find in our sources, and changes nothing. Ends with 1 if there is something.
#
#   tools/tidy.sh [FILE.cc...]      all sources, or these: clang-tidy takes about ten seconds a file and core
#
# clang-tidy asks build/release how a file is compiled: tools/test.sh has made that.
set -euo pipefail
cd "$(dirname "$0")/.."

[[ -f build/release/compile_commands.json ]] || cmake --preset release

if [[ $# -gt 0 ]]; then
  formatted=("$@")
  tidied=("$@")
else
  mapfile -t formatted < <(git ls-files '*.h' '*.cc' '*.c')
  # Those that this build compiles; examples/plugins and tests/install have builds of their own.
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
