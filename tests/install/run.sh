#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Follows the steps of a third-party author: installs a build, moves the installed tree, builds
# examples/plugins/gated_dense and a model against it with only the installed headers, and trains with the plugin's
# layer and optimizer. The saved model must then work where the plugin is missing.
#
#   tests/install/run.sh BUILD_FOLDER
set -euo pipefail
build=$1
source_dir=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export HOME=$work  # Keeps the user's plugins and cache out.
unset FUSEBOX_PLUGIN_PATH

fail() {
  echo "FAILED: $*" >&2
  exit 1
}
# says FILE TEXT: checks that the file contains the text.
says() { grep -qF -- "$2" "$1" || { cat "$1" && fail "expected '$2' in the output above"; }; }
# quietly COMMAND...: shows the command's output only if it fails.
quietly() { "$@" >quiet.log 2>&1 || { cat quiet.log && fail "$*"; }; }

echo "== Installing"
quietly cmake --install "$build" --prefix "$work/first"
mv first prefix
fusebox=$work/prefix/bin/fusebox
if readelf -d prefix/bin/* prefix/lib/*.so prefix/lib/fusebox/plugins/*.so |
  grep -E 'R(UN)?PATH' | grep -F "$build"; then
  fail "the installed tree points into the build tree"
fi
for plugin in prefix/lib/fusebox/plugins/*.so; do
  [[ $(nm -D --defined-only "$plugin" | awk '{print $3}') == fusebox_plugin ]] ||
    fail "$plugin exports more than its entry"
done
"$fusebox" plugins list >list.txt
says list.txt dense

echo "== Compiling each public header by itself"
(cd prefix/include && find fusebox -name '*.h') | while read -r header; do
  echo "#include <$header>" >header.cc
  c++ -std=c++20 -Wall -Wextra -Wpedantic -Wshadow -Werror -fsyntax-only -MD -MF header.d -I prefix/include header.cc
  if grep -E '/(llvm|boost|nlohmann|hdf5|google)/' header.d; then fail "$header shows the library above"; fi
done

echo "== Measuring with the installed tree alone"
"$fusebox" bench --filter '^(predict mlp, 1 |product .256|start)' --seconds 0 >bench.txt
says bench.txt "% of peak"

# build_against_it SOURCE_FOLDER NAME
build_against_it() {
  cp -r "$1" "$2"
  quietly cmake -S "$2" -B "$2/build" -DCMAKE_PREFIX_PATH="$work/prefix" -DCMAKE_BUILD_TYPE=Release
  quietly cmake --build "$2/build"
}

echo "== Building and running README's program"
build_against_it "$source_dir/examples/programs/clothes" clothes
clothes/build/clothes >clothes.txt
says clothes.txt "test accuracy: 0.8"
[[ -s clothes.keras ]] || fail "it has saved no model"

echo "== Building the third-party plugin"
build_against_it "$source_dir/examples/plugins/gated_dense" plugin
library=$work/plugin/build/acme.so
[[ $(nm -D --defined-only "$library" | awk '{print $3}') == fusebox_plugin ]] ||
  fail "$library exports more than its entry"
if readelf -d "$library" | grep libfusebox; then fail "a plugin needs no libfusebox"; fi
"$fusebox" plugins describe acme/gated_dense --plugin-path "$library" >describe.txt
says describe.txt units
says describe.txt "width of the output"
"$fusebox" plugins describe acme/sign_momentum --plugin-path "$library" >describe.txt
says describe.txt learning_rate
"$fusebox" plugins describe acme/simple_recurrent --plugin-path "$library" >describe.txt
says describe.txt "width of h"

echo "== Building a model with its layer"
build_against_it "$source_dir/tests/install/model" model
FUSEBOX_PLUGIN_PATH=$library model/build/gated_mlp >summary.txt
says summary.txt gated_dense

echo "== Training it"
data='fashion_mnist:train[:4000]'
"$fusebox" train model/build/gated_mlp.so --plugin-path "$library" --data "$data" --epochs 2 --seed 7 -o gated.keras
"$fusebox" evaluate gated.keras --plugin-path "$library" --data "$data" --json >with.json
cat with.json
awk -F'"accuracy": *' '{ exit !($2 + 0 > 0.5) }' RS= with.json || fail "it has not learnt"

echo "== Training through its loop, and using that where the plugin is missing"
"$fusebox" train model/build/rows_of_pictures.so --plugin-path "$library" --data "$data" --epochs 4 --seed 7 \
  -o rows.keras
"$fusebox" evaluate rows.keras --plugin-path "$library" --data "$data" --json >with.json
awk -F'"accuracy": *' '{ exit !($2 + 0 > 0.5) }' RS= with.json || fail "the recurrent layer has not learnt"
"$fusebox" evaluate rows.keras --data "$data" --json >without.json
cmp with.json without.json || fail "the missing plugin makes a difference to the recurrent layer"

echo "== Training a built-in model with its optimizer"
"$fusebox" train fashion_mnist_mlp --plugin-path "$library" --optimizer acme/sign_momentum --data "$data" --epochs 1 \
  --seed 7 -o mlp.keras

echo "== Using the saved model where the plugin is missing: its symbols are in the file"
# 64 images of plain bytes after the header of an .npy file.
{
  printf '\x93NUMPY\x01\x00\x76\x00%-117s\n' "{'descr': '|u1', 'fortran_order': False, 'shape': (64, 28, 28), }"
  seq 1000000 1006271  # 6272 lines of 8 bytes are 64 x 28 x 28.
} >pictures.npy
# with COMMAND..., without COMMAND...: runs the command with the plugin, and without it.
with() { "$fusebox" "$@" --plugin-path "$library"; }
without() { "$fusebox" "$@"; }
if without plugins describe acme/gated_dense 2>missing.txt; then fail "the plugin is not missing"; fi
says missing.txt "unknown plugin 'acme/gated_dense'"
for way in with without; do
  $way evaluate gated.keras --data "$data" --json >$way.json
  $way predict gated.keras --input pictures.npy -o $way.npy
  # The layer, and the optimizer with its saved running means.
  $way train gated.keras --data "$data" --epochs 2 --seed 8 --history $way.csv -o $way.keras
  without evaluate $way.keras --data "$data" --json >$way.later.json
done
for file in json npy csv later.json keras; do
  cmp with.$file without.$file || fail "the missing plugin makes a difference"
done
if cmp -s without.json without.later.json; then fail "nothing was learnt without the plugin"; fi
