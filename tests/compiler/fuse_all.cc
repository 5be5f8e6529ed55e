// SPDX-License-Identifier: Apache-2.0
#include "tests/compiler/fuse_all.h"

#include "fusebox/compiler/fuse/fuse.h"
#include "fusebox/compiler/passes/pipeline.h"

namespace fusebox::testing {

absl::StatusOr<FusedProgram> FuseAll(const Graph& graph) {
  std::vector<PassReport> reports;
  auto passed = RunGraphPasses(graph, {}, reports);
  if (!passed.ok()) return passed.status();
  return Fuse(*passed);
}

std::vector<std::string> Lines(const FusedProgram& program) {
  std::vector<std::string> lines;
  for (const Kernel& kernel : program.kernels) {
    std::string line = Name(kernel.kind) + std::string(":");
    for (const NodeId id : kernel.members) line += " " + std::string(program.graph[id].info().name);
    lines.push_back(line);
  }
  return lines;
}

}  // namespace fusebox::testing
