// SPDX-License-Identifier: Apache-2.0
// Names of items, ours and Keras's: "fusebox/glorot_uniform@1" is glorot_uniform for short and the class GlorotUniform
// in Keras's files; "acme/gated" is registered there as acme>Gated.
#pragma once
#include <string>
#include <string_view>

namespace fusebox {

// An item's key in its parts; "dense" is {"fusebox", "dense", ""}, "acme/gated@1" is {"acme", "gated", "1"}.
struct ItemName {
  std::string space;
  std::string name;
  std::string major;
};
ItemName SplitItemId(std::string_view id);

// "accuracy" of "fusebox/accuracy@1".
std::string ShortName(std::string_view id);

// "max_pooling2d" -> "MaxPooling2D", "sgd" -> "SGD". Of a full key, its name: "acme/gated@1" -> "Gated".
std::string KerasClassName(std::string_view item_id);

// "MaxPooling2D" -> "max_pooling2d", "SGD" -> "sgd": the name of our item for a Keras class.
std::string ItemNameOfClass(std::string_view class_name);

// Keras's own conversion for names of groups and layers, odd results included: "ReLU" -> "re_lu".
std::string KerasSnakeCase(std::string_view class_name);

}  // namespace fusebox
