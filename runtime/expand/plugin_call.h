// SPDX-License-Identifier: Apache-2.0
// Expands an item by its plugin: calls the function with which a layer, loss, metric, ... writes its symbols.
#pragma once
#include <string>

#include "fusebox/runtime/expand/host_builder.h"
#include "fusebox/runtime/plugins/registry.h"

namespace fusebox {

// The scope, within that of its layer, of a layer that serves as the activation.
inline constexpr char kActivationScope[] = "activation";

// Writes the item's symbols into the builder's graph and returns what they come to:
//
//   FB_LAYER                 inputs {x}, of merging layers {a, b, ...}   y
//   FB_ACTIVATION            inputs {x}                                  y
//   FB_LOSS                  inputs {y_true, y_pred}                     one loss a sample, [N]
//   FB_METRIC                inputs {y_true, y_pred}                     the result so far, f32[] or f32[k]
//   FB_OPTIMIZER             inputs {variable, gradient, learning rate}  the new variable
//
// Nodes and states get the scope `name` ("dense_1"), inside the one at work; none if it is empty. A state of kind
// "scalar" with the initializer "attribute" stands for the item's attribute that the last part of its name says.
// The error value if an input is one, or after an error; the builder then has the first message, which names the layer,
// the plugin and, where it is known, the line in the plugin. What an activation makes is recorded for Preimage.
Value ExpandItem(HostBuilder& builder, const Registry& registry, uint32_t kind, const ItemSpec& spec,
                 const Values& inputs, const std::string& name = "", bool training = false, bool frozen = false);

// Expands an initializer: returns a value of this type.
Value ExpandInitializer(HostBuilder& builder, const Registry& registry, const ItemSpec& spec, const Type& type,
                        const std::string& name = "");

// Initializes the scalars that the graph has got since `first` with the numbers of this item that they are named after.
// Error, in the builder: a scalar is none of them.
void FillScalars(HostBuilder& builder, NodeId first, const ItemSpec& item);

}  // namespace fusebox
