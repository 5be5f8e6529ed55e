// SPDX-License-Identifier: Apache-2.0
// Order and memory: which kernels run in which phase, and where each value lies.
//
// A phase is what lies between two barriers: kernels of one phase need nothing of each other. Every stored value lies in
// a port (an output, or the state that it becomes) or in the one arena, where values whose phases do not overlap share
// memory, and a result may take the place of an operand that nobody reads any more.
#pragma once
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "fusebox/compiler/compiler.h"
#include "fusebox/compiler/kernel.h"

namespace fusebox {

struct Place {
  enum class Kind : uint8_t { kNone, kPort, kArena };
  Kind kind = Kind::kNone;
  int64_t port = -1;    // kPort
  int64_t offset = -1;  // kArena, in bytes.
};

struct Plan {
  std::vector<Port> ports;
  std::vector<Place> places;                // By node: inputs, states, rows' data sets, and whatever a kernel stores.
  std::vector<std::vector<size_t>> phases;  // Kernels by phase.
  struct Copy {
    NodeId from;
    int64_t to_port;
  };
  std::vector<Copy> copies;  // After the last phase: states that could not be updated in place.
  int64_t arena_bytes = 0, intermediate_bytes = 0;
};

// Puts a copy wherever memory is needed and there is none: constants that a product, a reduction or a movement reads, and
// outputs or updates that are sources themselves, or asked for twice. Comes before fusion.
Graph OwnMemory(const Graph& graph);

Plan MakePlan(const FusedProgram& program, int64_t row_capacity);

std::string PrintMemory(const FusedProgram& program, const Plan& plan);
std::string PrintSchedule(const FusedProgram& program, const Plan& plan);

}  // namespace fusebox
