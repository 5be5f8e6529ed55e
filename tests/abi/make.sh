#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Compiled the libraries of tests/abi/1.0/ once, from the headers of the commit where ABI 1.0 was settled: a third-party
# author's plugins as g++ 12 and clang 19 made them then. tests/plugins/abi_test.cc loads them in every later build. Run
# it again only to add a folder for a later ABI; the kept files stay as they are.
#
#   tests/abi/make.sh [COMMIT [VERSION]]      VERSION names the folder: 1.0
#
# The files depend on libstdc++ and libc alone: fmt is compiled in, since its soname changes between Debian releases.
set -euo pipefail
commit=${1:-860aa64} version=${2:-1.0}
folder=$(cd "$(dirname "$0")" && pwd)/$version
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
git -C "$(git -C "$folder" rev-parse --show-toplevel)" archive "$commit" cmake examples graph plugins | tar x -C "$work"
# Just what fusebox_add_plugin needs of an installed fusebox: the headers, and the target that names them.
mkdir -p "$work/include" "$work/kept"
ln -s .. "$work/include/fusebox"
cp "$folder/every_kind.cc" "$work/kept"
cat >"$work/kept/CMakeLists.txt" <<'EOF'
cmake_minimum_required(VERSION 3.25)
project(kept CXX)
find_package(fmt REQUIRED)
add_library(fusebox::sdk INTERFACE IMPORTED)
target_compile_features(fusebox::sdk INTERFACE cxx_std_20)
target_include_directories(fusebox::sdk INTERFACE ${CMAKE_SOURCE_DIR}/../include)
target_link_libraries(fusebox::sdk INTERFACE fmt::fmt-header-only)
include(../cmake/FuseboxPlugin.cmake)
set(examples ${CMAKE_SOURCE_DIR}/../examples/plugins/gated_dense)
fusebox_add_plugin(acme VERSION 1.0.0 SOURCES ${examples}/gated_dense.cc ${examples}/simple_recurrent.cc
                   ${examples}/sign_momentum.cc)
fusebox_add_plugin(every_kind ID kept VERSION 1.0.0 SOURCES every_kind.cc)
cmake_path(GET CMAKE_SOURCE_DIR PARENT_PATH tree)
foreach(name acme every_kind)  # The same bytes wherever it is run.
  target_compile_options(${name} PRIVATE -ffile-prefix-map=${tree}/=)
endforeach()
EOF
for compiler in g++-12 clang++-19; do
  cmake -S "$work/kept" -B "$work/$compiler" -DCMAKE_CXX_COMPILER=$compiler -DCMAKE_BUILD_TYPE=Release
  cmake --build "$work/$compiler"
  mkdir -p "$folder/$compiler"
  for library in acme every_kind; do
    strip -o "$folder/$compiler/$library.so" "$work/$compiler/$library.so"
  done
done
du -b "$folder"/*/*.so
