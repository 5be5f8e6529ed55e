// SPDX-License-Identifier: Apache-2.0
// The part of a training program that changes the weights. What Keras's base class does for every optimizer stands here,
// once; the optimizer's plugin writes the update of one weight.
//
//   loss --scale--> gradients --unscale--> accumulate --> clip --> weight decay --> update --> moving average --> constraint
//
// States: "optimizer/learning_rate", "optimizer/<weight>/<slot>", and the optimizer's numbers, "optimizer/momentum".
// The order is Keras's. Source: keras.optimizers.Optimizer.
#pragma once
#include <string_view>
#include <vector>

#include "fusebox/graph/builder.h"
#include "fusebox/runtime/expansions.h"

namespace fusebox {

// Assigns its new value to each weight. `optimizer` is resolved; the loss is f32[].
void WriteOptimizer(GraphBuilder& builder, const ItemSpec& optimizer, const std::vector<NodeId>& weights, Value loss,
                    const Expansions& embedded);

// The state that counts the steps of training, i64[]; declared when first asked for.
Value StepCounter(GraphBuilder& builder);

// The moving average that use_ema keeps of a weight.
std::string AverageOf(std::string_view weight);

}  // namespace fusebox
