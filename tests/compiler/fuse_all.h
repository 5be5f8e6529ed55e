// SPDX-License-Identifier: Apache-2.0
// Programs after fusion.
#pragma once
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "fusebox/compiler/fuse/kernel.h"

namespace fusebox::testing {

// Runs all graph passes, then fusion.
absl::StatusOr<FusedProgram> FuseAll(const Graph& graph);

// Each kernel as a line: "matmul: matmul add max".
std::vector<std::string> Lines(const FusedProgram& program);

}  // namespace fusebox::testing
