// SPDX-License-Identifier: Apache-2.0
// Random graphs and random arrays for them: the same for the same seed, on every machine.
#pragma once
#include <cstdint>
#include <map>

#include "fusebox/graph/evaluate.h"
#include "fusebox/graph/graph.h"

namespace fusebox::testing {

struct RandomGraphOptions {
  int max_nodes = 40;    // Without derivatives of training programs; each graph draws its size from 1 to this.
  bool train = false;    // Adds an output "loss", outputs d loss / d input, and updates of the states by descent.
  bool integers = true;  // Integers and bools besides floats: comparisons, indices, casts.
  bool symbolic = true;  // Dimensions that are multiples of N; otherwise all are numbers.
  bool smooth = false;   // For finite differences: no stop_gradient, no cast between floats, indices in their range.
  // Fewer and larger values, for batches up to 300: matrices of 16 to 200 columns, states of 8 KiB and more, products
  // over a long k. This makes rows padded, weights packed and k cut into blocks.
  bool large = false;
  DType real = DType::kF32;
};

// A valid graph in which every value is used: values that no node reads become outputs, "out0", "out1", ... Ops are
// drawn uniformly from all that a compiler sees after differentiation and inlining. The operands of log, sqrt, divide
// and erfinv are kept where these are smooth, and sums are scaled, so values stay within about 100. With `train` it
// contains `gradient` nodes.
Graph RandomGraph(uint64_t seed, const RandomGraphOptions& options = {});

// Arrays for all inputs, data sets and states of any graph: floats in +-[0.1, 2], integers in [0, 3), row orders within
// their data set of 2 N + 3 rows, random bools.
Bindings RandomBindings(const Graph& graph, uint64_t seed, int64_t batch);
Literal RandomLiteral(DType dtype, const Sizes& shape, uint64_t seed);

// Adds to `counts` the number of occurrences of each op.
void CountOps(const Graph& graph, std::map<Op, int64_t>& counts);

}  // namespace fusebox::testing
