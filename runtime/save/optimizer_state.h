// SPDX-License-Identifier: Apache-2.0
// What an optimizer remembers, in the order of Keras's files.
#pragma once
#include <string>
#include <vector>

#include "fusebox/runtime/model/model_impl.h"

namespace fusebox {

// The variables in the order of Keras's files: iteration, learning rate (unless that follows a schedule), then slots. Of
// an optimizer that scales the loss its own first: iteration, a learning rate that means nothing (null here), and what
// it remembers.
std::vector<const Variable*> OptimizerVariables(const Model::Impl& model);

// Whether the model's optimizer scales the loss for another one.
bool ScalesLoss(const Model::Impl& model);

// What a file has of an optimizer: values, and their names in .h5 files ("Adam/dense/kernel/m:0").
struct OptimizerState {
  std::vector<Tensor> values;
  std::vector<std::string> names;
};

// Whether the state is in the order of optimizers of TensorFlow up to 2.10, or of an older Keras.
bool HasOldOrder(const OptimizerState& state);

// Makes the model's optimizer go on from the state. A state that does not fit, because layers were frozen after the
// model was compiled, say, is left out as in Keras: a warning on stderr says so, and the optimizer begins anew. The old
// optimizers of TensorFlow up to 2.10 have all first moments before all second ones; they are told by the names.
absl::Status SetOptimizer(Model::Impl& model, const OptimizerState& state, const std::string& who);

}  // namespace fusebox
