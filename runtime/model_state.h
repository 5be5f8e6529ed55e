// SPDX-License-Identifier: Apache-2.0
// All that a Sequential is. Inside runtime/ only.
#pragma once
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <source_location>
#include <string>
#include <vector>

#include "fusebox/runtime/bound_program.h"
#include "fusebox/runtime/sequential.h"
#include "fusebox/runtime/variables.h"

namespace fusebox {

class Sequential::Impl {
 public:
  explicit Impl(ModelOptions options);

  // ---- Declaring.
  void Add(const LayerConfig& layer, const std::vector<int64_t>& input_shape, const std::source_location* where);
  absl::Status Compile(CompileConfig compile, bool keep_optimizer_state);

  // ---- The programs. Types are known once the input's shape is.
  bool HasInput() const { return config.input.has_value(); }
  Type InputType() const { return BatchType(config.input->dtype, config.input->shape); }
  // Takes the shape of the first data where none was declared.
  absl::Status SettleInput(const Tensor& x);
  // What the last layer gives: f32[N,10].
  const Type& OutputType() const { return output; }
  // What the loss expects if no data are there to say: classes i32[N], or the same as the output.
  Type UsualTarget() const;
  // What its programs read if no data are there to say: x of the input's dtype. Empty while the input is unknown.
  BatchTypes UsualData() const { return HasInput() ? BatchTypes{InputType(), UsualTarget()} : BatchTypes{}; }
  absl::StatusOr<Graph> Program(ProgramKind kind, const BatchTypes& data) const;

  // Makes the weights, unless they are there.
  absl::Status EnsureWeights();
  // After training with use_ema: the weights become their moving averages.
  absl::Status TakeAverages();
  // The optimizer's variables too.
  absl::Status EnsureOptimizer();
  // The program, compiled, with variables bound. Compiled once for each type of data, capacity and CPU.
  absl::StatusOr<BoundProgram*> Compiled(ProgramKind kind, const BatchTypes& data, int64_t row_capacity,
                                         const std::string& target_cpu);

  // ---- Data: whether the model can take them. Their dtypes do not matter, as the programs convert.
  absl::Status CheckInput(const Tensor& x) const;
  absl::Status CheckData(const Data& data, std::string_view prefix) const;

  // The layers' weights in the order of Keras's files: each layer's, those that are trained first.
  std::vector<std::vector<const Variable*>> WeightsByLayer() const;
  std::vector<const Variable*> Weights() const;

  ModelConfig config;
  Expansions embedded;
  absl::Status status;
  int64_t seed;
  Variables variables;
  Type output;  // Of the layers so far; no dtype while the input's shape is unknown.

 private:
  void Extend(const LayerConfig& layer, const std::string& where);
  std::string UniqueName(const LayerConfig& layer) const;

  std::vector<std::string> where_;  // Of each layer: "main.cc:12: ", or empty.
  struct CompiledProgram {
    ProgramKind kind;
    BatchTypes data;
    int64_t row_capacity;
    std::string target_cpu;
    std::unique_ptr<BoundProgram> program;
  };
  std::vector<CompiledProgram> compiled_;
};

// The type of a batch of these rows: f32[N,28,28] of f32[60000,28,28].
Type BatchTypeOf(const Tensor& rows);
inline BatchTypes BatchTypesOf(const Data& data) {
  return {BatchTypeOf(data.x), BatchTypeOf(data.y), !data.sample_weight.empty()};
}
// Steps of a pass over n rows.
inline int64_t StepsFor(int64_t rows, int64_t batch) { return (rows + batch - 1) / batch; }
// The error of a run that a signal has ended.
absl::Status Interrupted();
// One evaluation pass over data that the program was compiled for.
absl::StatusOr<Logs> EvaluateChecked(BoundProgram& program, const CompileConfig& compile, const Data& data,
                                     int64_t batch_size, int64_t threads);
// Loss and metrics that a program's outputs hold, in Keras's order.
Logs ReadLogs(const BoundProgram& program, const CompileConfig& compile);

}  // namespace fusebox
