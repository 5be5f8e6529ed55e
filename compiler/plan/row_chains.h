// SPDX-License-Identifier: Apache-2.0
// Chains: kernels of one phase although they read each other's values, as the same thread makes and reads them. So nobody
// need wait in between.
//
//   by rows    The one computes row i of a batch from row i of what the other made, and each thread does the same rows in
//              both: units are tiles of some rows, over all columns. A thread reads all of a product's right operand then,
//              not a part of its columns, so only what stays in a near cache is read that way; and values of a phase are
//              all there at once, so they have to fit there, too.
//   one unit   Neither has more work than one thread does, which is the same for both.
#pragma once
#include <cstdint>
#include <functional>
#include <vector>

#include "fusebox/compiler/plan/dependencies.h"

namespace fusebox {

// Whether row i of all that the kernel stores is computed for itself, so that it can be cut by rows of the batch.
bool HasRowsOfBatch(const Graph& graph, const Kernel& kernel);
// Whether the kernel, for row i of its values, reads nothing of `value` but row i.
bool ReadsOnlyOwnRow(const Graph& graph, const Kernel& kernel, NodeId value);

// Whether the kernel is one unit of work, whatever the batch is.
bool HasOneUnit(const Kernel& kernel);

struct Phases {
  std::vector<std::vector<size_t>> kernels = {};  // By phase, each after those of its phase that it needs.
  std::vector<size_t> of = {};                    // By kernel: its phase.
  std::vector<bool> by_rows = {};                 // By kernel: whether it is part of a chain by rows.
};

// Each kernel as early as its needs allow. `may_chain` tells of a kernel whether it is worth cutting by rows, `bytes` how
// much it stores; chains by rows of a phase store at most `most_bytes`.
Phases FindPhases(const FusedProgram& program, const Dependencies& all, const std::vector<bool>& may_chain,
                  const std::function<int64_t(size_t kernel)>& bytes, int64_t most_bytes);

}  // namespace fusebox
