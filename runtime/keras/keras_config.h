// SPDX-License-Identifier: Apache-2.0
// A model's description as Keras writes it: the config.json of a .keras file, of Sequential and of Functional models,
// and of models within them.
//
//   fusebox/dense@1   is   {"module": "keras.layers", "class_name": "Dense", "registered_name": null, ...}
//   acme/gated@1      is   {"module": "acme", "class_name": "Gated", "registered_name": "acme>Gated", ...}
//
// Each object has one more key, which Keras ignores: "fusebox_item", the item's full key with its major version.
// What AddLoss and AddMetric have added to a model stands beside its "config", as "fusebox_added": Keras does not
// know it, so only texts of programs have it. A model that is a C++ class is written as what it was traced to.
// Attributes stand in "config" under their own names. One that names another item, "he_normal:seed=1" for a
// kernel_initializer, is an object there; an activation without attributes is a string.
#pragma once
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "fusebox/runtime/describe/model_config.h"

namespace fusebox {

// Keras 3 opens the result. Without attributes, losses, metrics and activations are plain names, as with Keras.
std::string KerasConfigJson(const ModelConfig& model);

// Reads what KerasConfigJson, Keras 3 and Keras 2 (tf.keras: see keras2_config.h) write. Members without
// meaning for attributes are left out: null (no regularizer, no constraint), defaults that all layers have, such as
// dtype float32. All others are kept; the item's schema decides about them. An item of Keras's is fusebox/name, a name
// that stands as a string stays as it is. A compiled model without a loss has an empty loss id. Numbers that Keras
// widened from float32 are shortened: 0.009999999776482582 becomes 0.01. Errors say where: a subclassed model, a layer
// that is called with more than values, a dtype other than float32, sample weights. `keras_version` is the version of
// Keras that the file names, if it names one.
absl::StatusOr<ModelConfig> ParseKerasConfig(std::string_view json, const std::string& who,
                                             std::string_view keras_version = {});

// One item as Keras serialises it: {"class_name": "SGD", "config": {"learning_rate": 0.1}}, or a name in quotes.
absl::StatusOr<ItemSpec> ParseKerasItem(std::string_view json, const std::string& who);

}  // namespace fusebox
