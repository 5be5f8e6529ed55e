#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Prints the sizes that say how well the tree bears its next storeys: see measure.py for how each is taken.
#
#   tests/measure.sh [TREE]      another tree than this one, an older commit's for instance
set -euo pipefail
folder=$(cd "$(dirname "$0")" && pwd)
exec python3 "$folder/measure.py" "${1:-$folder/..}"
