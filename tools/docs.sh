#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds the reference into build/docs: of the C++ API, by doxygen from the public headers, and of the plugin items, from
# their schemas. A warning of doxygen, such as a public symbol without documentation, is an error.
#
#   tools/docs.sh [FUSEBOX]      FUSEBOX is a built command; without one, packages are installed and it is built
set -euo pipefail
[[ $# -eq 0 ]] || fusebox=$(realpath "$1")
source "$(dirname "$0")/setup.sh"
if [[ $# -eq 0 ]]; then
  step "Installing packages" install_packages
  step "Building" build release fusebox_command fusebox_plugins
  fusebox=build/release/bin/fusebox
fi

# Plugins and settings of the user take no part.
export HOME=/nonexistent
unset FUSEBOX_PLUGIN_PATH
rm -rf build/docs
mkdir -p build/docs
"$fusebox" plugins list --json | python3 tools/docs/items.py build/docs/items
{
  cat tools/docs/Doxyfile
  echo "INPUT = tools/docs/main.md build/docs/items $(cmake -P tools/docs/headers.cmake | tr '\n' ' ')"
  echo "OUTPUT_DIRECTORY = build/docs"
} >build/docs/Doxyfile
doxygen build/docs/Doxyfile
echo "wrote build/docs/html/index.html and build/docs/items/*.md"
