// SPDX-License-Identifier: Apache-2.0
// Users' arrays as a model's programs take them: in the order of its ports, checked against what it expects.
#pragma once
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "fusebox/runtime/execute/bound_program.h"
#include "fusebox/runtime/model.h"

namespace fusebox {

// Data in the order of the model's inputs, and of TargetOutputs.
struct PortData {
  std::vector<Tensor> x, y;
  // f32[n] or f32[n, steps]: none; one for all targets; or one for each, where an empty one says none. As in BatchTypes.
  std::vector<Tensor> weights = {};

  int64_t rows() const { return x[0].rows(); }
  PortData Rows(int64_t begin, int64_t end) const;
  BatchTypes Types() const;
};

// In order, if the model can take them. Their dtypes do not matter, as the programs convert.
absl::StatusOr<std::vector<Tensor>> TakeInputs(const Model::Impl& model, const Arrays& x);
absl::StatusOr<PortData> TakeData(const Model::Impl& model, const Arrays& x, const Arrays& y, std::string_view prefix);
// Into the data: see DataArg and FitArgs. Errors: see SampleWeights; both; class_weight of a model with several outputs.
absl::Status TakeWeights(const Model::Impl& model, const Arrays& sample_weight, const ClassWeights& class_weight,
                         PortData& data);

// The type of a batch of these rows: f32[N,28,28] of f32[60000,28,28].
Type BatchTypeOf(const Tensor& rows);
// Binds each array to its port.
void BindData(BoundProgram& program, const ModelConfig& model, Port::Kind kind, const PortData& data);

}  // namespace fusebox
