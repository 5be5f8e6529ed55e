#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs what is missing, builds the release preset and runs all tests.
#
#   tools/test.sh [ctest arguments]      for example: tools/test.sh -L fast, tools/test.sh -R Dense
set -euo pipefail
source "$(dirname "$0")/setup.sh"

step "Installing packages" install_packages
step "Building" build release
step "Making the Python environment that tests compare with" make_python

# Tests that compare with Keras find it here. Without it they fail.
export FUSEBOX_PYTHON=$PWD/build/python/bin/python

step "Testing" ctest --preset release --output-on-failure -j "$(nproc)" "$@"
