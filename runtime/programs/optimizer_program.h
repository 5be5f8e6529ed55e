// SPDX-License-Identifier: Apache-2.0
// The part of a training program that changes the weights. What Keras's base class does for every optimizer stands
// here, once; the optimizer's plugin writes the update of one weight.
//
//   loss --scale--> gradients --unscale--> accumulate --> clip --> weight decay --> update --> moving average
//        --> constraint
//
// States: "optimizer/learning_rate", "optimizer/<weight>/<slot>", and the optimizer's numbers, "optimizer/momentum".
// The order is Keras's. Source: keras.optimizers.Optimizer.
//
// An optimizer with an attribute `inner_optimizer` that names another one (loss_scale_optimizer) writes the update of
// the loss's scale, "optimizer/dynamic_scale", f32[], which begins as its attribute `initial_scale`: the scale is its
// variable, and its gradient whether all gradients are finite, bool[]. All else is done by the other one, with
// gradients without the scale; where they are not finite, weights and "optimizer/..." stay as they were, its count of
// steps, "optimizer/iteration", included. Source: keras.optimizers.LossScaleOptimizer.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fusebox/runtime/expand/host_builder.h"
#include "fusebox/runtime/expand/kept_symbols.h"

namespace fusebox {

// Assigns its new value to each weight. `optimizer` is resolved; the loss is f32[].
void WriteOptimizer(HostBuilder& builder, const ItemSpec& optimizer, const std::vector<NodeId>& weights, Value loss,
                    const Expansions& embedded);

// The optimizer for which this one scales the loss, resolved; nullopt if it scales none.
std::optional<ItemSpec> InnerOptimizer(const ItemSpec& optimizer, const Expansions& embedded);

// The states of an optimizer that scales the loss, in the order of Keras's files, after two numbers without meaning.
inline constexpr const char* kScalingStates[] = {"optimizer/step_counter", "optimizer/dynamic_scale",
                                                 "optimizer/iteration"};

// The state that counts the steps of training, i64[]; declared when first asked for.
Value StepCounter(HostBuilder& builder);

// The moving average that use_ema keeps of a weight.
std::string AverageOf(std::string_view weight);

}  // namespace fusebox
