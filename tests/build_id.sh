#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Checks that FUSEBOX_BUILD_ID changes with every header that a model's library may see, and with nothing else.
set -euo pipefail
cd "$(dirname "$0")/.."
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
cp -r cmake graph compiler plugins runtime "$tree"

id() {
  cmake -DFUSEBOX_SOURCE_DIR="$tree" -DVERSION=1.2.3 -DOUTPUT="$tree/build_id.h" -P "$tree/cmake/BuildId.cmake"
  sed -n 's/^#define FUSEBOX_BUILD_ID //p' "$tree/build_id.h"
}

first=$(id)
[[ $first =~ ^\"1\.2\.3-[0-9a-f]{16}\"$ ]] || { echo "expected a version and a digest, got $first"; exit 1; }
touch "$tree/build_id.h" -d '2000-01-01'
echo '// changed' >>"$tree/runtime/fit/fit.cc"
echo '// changed' >>"$tree/runtime/model/model_impl.h"  # Inside runtime/ only.
[[ $(id) == "$first" && $(stat -c %Y "$tree/build_id.h") == $(date -d '2000-01-01' +%s) ]] ||
  { echo "it changed with what no library sees"; exit 1; }
for header in runtime/model.h runtime/describe/compile_args.h graph/value.h plugins/sdk/plugin_abi.h; do
  echo '// changed' >>"$tree/$header"
  next=$(id)
  [[ $next != "$first" ]] || { echo "it did not change with $header"; exit 1; }
  first=$next
done
