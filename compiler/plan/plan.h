// SPDX-License-Identifier: Apache-2.0
// plan/ decides order and memory: which kernels run in which phase, and where each value lies. Its parts know nothing
// of each other: dependencies.h and row_chains.h, from which the phases follow; layouts.h, which chooses how matrices
// lie; arena.h, which packs blocks. This unit puts them together. The room sees fuse/, schedule/ and the words beside
// compiler.h.
//
// A phase is what runs between two barriers: kernels of one phase need nothing of each other, or only rows of a batch
// that the same thread has made (row_chains.h). Every stored value lies in a port (an output, or the state that it
// becomes) or in the arena, where values whose phases do not overlap share memory. A result may take the place of an
// operand that no later kernel reads.
#pragma once
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "fusebox/compiler/fuse/kernel.h"
#include "fusebox/compiler/matrix_layout.h"
#include "fusebox/compiler/port.h"
#include "fusebox/compiler/schedule/product_schedule.h"

namespace fusebox {

struct Place {
  enum class Kind : uint8_t { kNone, kPort, kArena };
  Kind kind = Kind::kNone;
  int64_t port = -1;               // kPort
  int64_t offset = -1;             // kArena, in bytes.
  Layout layout = Layout::kExact;  // In the arena only.
};

struct Plan {
  std::vector<Port> ports;
  std::vector<Place> places;                // By node: inputs, states, and whatever a kernel stores.
  std::vector<std::vector<size_t>> phases;  // Kernels by phase, each after those of its phase that it needs.
  std::vector<bool> by_rows;                // By kernel: whether its units are the tiles of row_cut, over all columns.
  RowCut row_cut;                           // Of the batch at full size, for all kernels that are cut by rows.
  struct Copy {
    NodeId from;
    int64_t to_port;
  };
  std::vector<Copy> copies;  // After the last phase, for states that could not be updated in place.
  // States that lie in panels while steps run: packed before the first step, unpacked after the last if steps change
  // them.
  struct Packed {
    NodeId state;
    int64_t port;
    bool updated;  // Steps change it.
  };
  std::vector<Packed> packed;
  // How products are cut, and where in the arena their sums lie between blocks of k (-1: k is one block).
  struct Product : ScheduledProduct {
    int64_t partial_sums = -1;
  };
  std::map<NodeId, Product> products;
  // A control node's regions, each planned for itself. Their arenas are one part of this one, as only one runs at a
  // time.
  struct Control {
    std::vector<Plan> regions = {};
    int64_t arena = 0;  // Where that part begins.
    // Where each result lies: at the place of a node, if a kernel reads it, else `here`. A carry lies there and at
    // `other` by turns.
    struct Result {
      NodeId node = 0;
      int64_t here = -1, other = -1;
    };
    std::vector<Result> results = {};
    int64_t goes_on = -1;  // Where the value of a while's condition lies.
  };
  std::map<NodeId, Control> controls;
  int64_t arena_bytes = 0, intermediate_bytes = 0;
  int64_t unfused_bytes = 0;    // What the results of all ops would take, fused or not, if each had its own buffer.
  int64_t packed_bytes = 0;     // The part of the arena that packed states take.
  std::vector<int64_t> guards;  // Offsets at which PlanOptions::guard_bytes unused bytes begin.
};

// See CompileOptions. A plan fits its target alone.
struct PlanOptions {
  int64_t row_capacity = 1;
  int64_t pack_from_bytes = std::numeric_limits<int64_t>::max();
  int64_t guard_bytes = 0;
  Target target = {};
  ScheduleSource given = {}, found = {};  // Asked for each product, in this order, before the model.
};
Plan MakePlan(const FusedProgram& program, const PlanOptions& options);

std::string PrintMemory(const FusedProgram& program, const Plan& plan);
std::string PrintSchedule(const FusedProgram& program, const Plan& plan);

}  // namespace fusebox
