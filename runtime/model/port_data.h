// SPDX-License-Identifier: Apache-2.0
// Prepares users' arrays for a model's programs: in the order of the programs' ports, checked against what the model
// expects.
#pragma once
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "fusebox/runtime/execute/bound_program.h"
#include "fusebox/runtime/model.h"

namespace fusebox {

// Data in the order of the ports.
struct PortData {
  std::vector<Tensor> x, y;  // x in the order of the model's inputs, y in that of TargetOutputs.
  // The samples' weights, f32[n] or f32[n, steps]: no array; one for all targets; or one for each target, where an
  // empty array means that this target has no weights. As in BatchTypes.
  std::vector<Tensor> weights = {};

  int64_t rows() const { return x[0].rows(); }
  // The rows [begin, end) of all arrays.
  PortData Rows(int64_t begin, int64_t end) const;
  // The types of a batch of these data.
  BatchTypes Types() const;
};

// Puts x in the order of the model's inputs. Errors: shapes or names that the model does not take. Any dtype is fine,
// because programs convert.
absl::StatusOr<std::vector<Tensor>> TakeInputs(const Model::Impl& model, const Arrays& x);
// Puts x and y in order, and checks the targets' values. Error messages begin with `prefix`.
absl::StatusOr<PortData> TakeData(const Model::Impl& model, const Arrays& x, const Arrays& y, std::string_view prefix);
// Puts weights into the data: see DataArg and FitArgs. Errors: see SampleWeights; both kinds of weights are given;
// class_weight for a model with several outputs.
absl::Status TakeWeights(const Model::Impl& model, const Arrays& sample_weight, const ClassWeights& class_weight,
                         PortData& data);

// The type of a batch of these rows: f32[N,28,28] for f32[60000,28,28].
Type BatchTypeOf(const Tensor& rows);
// Binds each array to its port of the program.
void BindData(BoundProgram& program, const ModelConfig& model, Port::Kind kind, const PortData& data);

}  // namespace fusebox
