// SPDX-License-Identifier: Apache-2.0
// Chains: kernels that run in one phase although they read each other's values, because the same thread makes and reads
// them. So no thread needs to wait in between.
//
//   by rows    One kernel computes row i of a batch from row i of what the other made, and each thread computes the
//              same rows in both: units are tiles of some rows, over all columns. A thread then reads all of the right
//              operand of a product, not a part of its columns, so only operands that stay in a near cache are read
//              that way. The values of a phase exist all at once, so they have to fit there, too.
//   one unit   Both kernels are work for one thread, the same for both.
#pragma once
#include <cstdint>
#include <functional>
#include <vector>

#include "fusebox/compiler/plan/dependencies.h"

namespace fusebox {

// Whether the kernel can be cut by rows of the batch: it computes row i of everything that it stores independently.
bool HasRowsOfBatch(const Graph& graph, const Kernel& kernel);
// Whether the kernel reads nothing of `value` but row i for row i of its values.
bool ReadsOnlyOwnRow(const Graph& graph, const Kernel& kernel, NodeId value);

// Whether the kernel is one unit of work, whatever the size of the batch.
bool HasOneUnit(const Kernel& kernel);

struct Phases {
  std::vector<std::vector<size_t>> kernels = {};  // By phase, each after those of its phase that it needs.
  std::vector<size_t> of = {};                    // By kernel: its phase.
  std::vector<bool> by_rows = {};                 // By kernel: whether it is part of a chain by rows.
};

// Puts each kernel into the earliest phase that its needs allow. `may_chain` tells whether a kernel is worth cutting by
// rows, `bytes` how much it stores. Chains by rows of one phase store at most `most_bytes`.
Phases FindPhases(const FusedProgram& program, const Dependencies& all, const std::vector<bool>& may_chain,
                  const std::function<int64_t(size_t kernel)>& bytes, int64_t most_bytes);

}  // namespace fusebox
