// SPDX-License-Identifier: Apache-2.0
// Items that are C++ functions of the user's program: Lambda, LossFn, MetricFn.
#pragma once
#include <string>

#include "fusebox/graph/value.h"
#include "fusebox/runtime/expand/host_builder.h"
#include "fusebox/runtime/expand/item_use.h"

namespace fusebox {

// What the function of the item writes, in the scope `name`. Error: it throws, or returns no value of this graph.
Value CallFunction(HostBuilder& builder, const ItemUse& use, const Values& inputs, const std::string& name);

// y_true and y_pred of different ranks, as Keras does it for functions: [N] gets a last axis of 1, any other loses it.
Values LinedUp(HostBuilder& builder, const std::string& name, Values inputs);

// What a program logs of values, f32[]: see sdk::Scope::RunningMean. `weight`, f32[N], may be no value.
Value RunningMean(HostBuilder& builder, Value values, Value weight);

}  // namespace fusebox
