#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Follows the recipes of CONTRIBUTING.md in one copy of the tree: adds an elementwise op, a structural op, a layer, a
# pass and a verb (apply.py), builds the library, the command and the tests that see them, and runs these. Takes the
# time of a build, so tools/test.sh leaves it out:
#
#   ctest --preset release -C long -L long
#   tests/recipes/run.sh [FOLDER]      FOLDER is where the copy goes, else a temporary one
set -euo pipefail
source_dir=$(cd "$(dirname "$0")/../.." && pwd)
if [[ $# -gt 0 ]]; then
  tree=$1
else
  tree=$(mktemp -d)
  trap 'rm -rf "$tree"' EXIT
fi

python3 "$source_dir/tests/recipes/apply.py" count
git -C "$source_dir" ls-files -z --cached --others --exclude-standard |
  (cd "$source_dir" && tar c --null --ignore-failed-read -T - 2>/dev/null) | tar x -C "$tree"
cd "$tree"
# Of all tests those that see a new op by its table, and the recipes' own, which come next.
find tests -name '*_test.cc' -not -name shape_sweep_test.cc -not -name evaluate_test.cc -not -name text_test.cc \
  -not -name gradient_sweep_test.cc -not -name jit_sweep_test.cc -not -name codegen_tables_test.cc -delete
python3 "$source_dir/tests/recipes/apply.py" apply "$tree" elementwise_op structural_op layer pass verb

cmake --preset release -DFUSEBOX_BENCHMARKS=OFF
cmake --build --preset release --target fusebox fusebox_command layers graph_test compiler_test plugins_test tools_test
bin=$tree/build/release/bin
export FUSEBOX_CACHE_DIR=
# Two sweeps of graph/ want a case of every op; the structural one has a test of its own instead.
"$bin/graph_test" --gtest_filter=-ShapeSweep.NoOpIsLeftOut:Evaluate.NoOpIsLeftOut
"$bin/compiler_test"
"$bin/plugins_test"
"$bin/tools_test"
"$bin/fusebox" plugins describe clip
"$bin/fusebox" opt --list | grep double_negation
"$bin/fusebox" --help | grep count
cat >program.fbg <<'EOF'
%x = input : f32[N,3]
%0 = reciprocal %x : f32[N,3]
%1 = swap_last_axes %0 : f32[3,N]
%2 = negate %1 : f32[3,N]
%3 = negate %2 : f32[3,N]
return y = %3
EOF
"$bin/fusebox" opt program.fbg --passes=double_negation
"$bin/fusebox" dump program.fbg --emit=asm >program.s
grep -q reciprocal program.s
