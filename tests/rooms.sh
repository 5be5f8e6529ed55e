#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Proves from the include lines which room sees which, by the table in rooms.txt, and that no units include each other
# in a circle. The top of rooms.py says what it checks.
#
#   tests/rooms.sh              prints every violation
#   tests/rooms.sh --self-test  checks that a tree with known violations is refused
set -euo pipefail
folder=$(cd "$(dirname "$0")" && pwd)
exec python3 "$folder/rooms.py" "$@"
