// SPDX-License-Identifier: Apache-2.0
#include "fusebox/graph/check.h"

#include <cstdio>
#include <cstdlib>

namespace fusebox {

void CheckFailed(std::string_view message, std::source_location where) {
  std::fprintf(stderr, "fusebox: internal error: %.*s [%s:%u]\n", int(message.size()), message.data(),
               where.file_name(), where.line());
  std::abort();
}

}  // namespace fusebox
