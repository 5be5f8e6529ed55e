#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Who may see whom, checked on the include lines:
#
#   graph <- compiler <- runtime <- tools;  plugins/sdk sees graph;  plugins/<kind> sees plugins/sdk;  only compiler has LLVM.
set -euo pipefail
cd "$(dirname "$0")/.."
status=0

# refuse WORDS LINES: lines are the offenders, as grep prints them.
refuse() {
  if [[ -n $2 ]]; then
    printf '%s:\n%s\n' "$1" "$2"
    status=1
  fi
}

# sees ROOM PATTERN FILE...: of fusebox/..., the files include only what the pattern names.
sees() {
  local room=$1 allowed=$2
  shift 2
  refuse "$room may not include this" \
    "$(grep -rnE '^ *# *include *["<]fusebox/' --include='*.h' --include='*.cc' "$@" | grep -vE "[\"<]fusebox/($allowed)" || true)"
}

sees graph 'graph/' graph
sees compiler '(graph|compiler)/' compiler
sees runtime '(graph|compiler|runtime|plugins/sdk)/|fusebox\.h|build_id\.h' runtime
sees plugins/sdk 'graph/|plugins/sdk/' plugins/sdk
for kind in plugins/*/; do
  [[ $kind == plugins/sdk/ ]] || sees "$kind" "plugins/sdk/|$kind" "$kind"
done

refuse "only compiler/ may include LLVM" \
  "$(grep -rnE '^ *# *include *["<]llvm' graph runtime plugins tools || true)"
exit $status
