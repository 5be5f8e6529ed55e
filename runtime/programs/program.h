// SPDX-License-Identifier: Apache-2.0
// The programs of a model, as symbols: training, evaluation and prediction. Each is one step on a batch of N rows.
//
//   training     order i32[N] -> rows of x and y -> layers -> losses and penalties -> gradients -> optimizer; losses and
//                metrics of the epoch so far; step and other counters
//   evaluation   x, y -> layers -> losses and metrics so far
//   prediction   x -> layers -> y
//
// x and y are the caller's arrays as they are: the program casts what it takes of them, x to the dtype of the model's
// input and y to i32 for losses that take classes, else to f32. Where a model has several, see InputPorts and OutputPorts;
// targets are there for the outputs that have a loss or metrics.
//
// Which steps of a value count (masks, of Masking and Embedding) goes with it from layer to layer, into models within and
// out of them. Losses and metrics leave out the others of what an output says.
//
// States: weights "dense/kernel", "encoder/dense/kernel" of a model within; what the optimizer keeps,
// "optimizer/learning_rate" and "optimizer/dense/kernel/momentum"; of penalties, "losses/dense/kernel/l2"; accumulators
// "loss/total", "loss/main_output/total", "metrics/accuracy/count"; "loss/main_output/weight"; the counter "step"; "seed".
#pragma once
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "fusebox/graph/graph.h"
#include "fusebox/runtime/describe/model_config.h"
#include "fusebox/runtime/plugins/expansions.h"

namespace fusebox {

// See above.
enum class ProgramKind { kTraining, kEvaluation, kPrediction };

// What the program reads: the types of a batch of the data, so their first dimension is N. y matters to those with a
// loss, and has one for each of TargetOutputs.
struct BatchTypes {
  std::vector<Type> x, y;  // Of the inputs, and of the targets.
  // Of the samples' weights, f32[N] or, of each step, f32[N, steps]: none; one for all targets, "sample_weight"; or one for
  // each, "sample_weight/main_output", where a type without a dtype says none. See WeightPorts.
  std::vector<Type> weights = {};

  bool operator==(const BatchTypes&) const = default;
};

// Items are expanded by their plugins or, where one is missing, from `embedded`. Errors name the layer.
absl::StatusOr<Graph> BuildProgram(ProgramKind kind, const ModelConfig& model, const BatchTypes& types,
                                   const Expansions& embedded = {});

// Which of the outputs have a loss or metrics, so that they need targets.
std::vector<size_t> TargetOutputs(const ModelConfig& model);
// The ports of so many arrays of weights.
std::vector<std::string> WeightPorts(const ModelConfig& model, size_t weights);

// What evaluation and training report, in Keras's order: "accuracy", "loss"; of several losses "main_output_loss", too.
std::vector<std::string> LogNames(const ModelConfig& model);

// What goes into each call and what comes out.
struct CallTypes {
  std::vector<Type> inputs, outputs;  // In the order of the call.
};
// In the order of CallsOf. After an error `failed`, if it is there, is the number of the call that is wrong.
absl::StatusOr<std::vector<CallTypes>> InferTypes(const ModelConfig& model, const std::vector<Type>& x,
                                                  const Expansions& embedded = {}, size_t* failed = nullptr);

// The type of a batch of the model's input: f32[N,28,28].
Type BatchType(DType dtype, const Shape& shape_of_a_sample);
// A metric, and the name under which its result is logged: its attribute `name`, else that of the item; "weighted_<name>"
// of a weighted one whose name another metric has. Of several outputs each begins with the output's name.
struct LoggedMetric {
  const ItemSpec* item;  // Of the output that was asked.
  std::string name;      // Under which it is logged.
  bool weighted;         // Whether samples count by their weights.
};
// Those of one of so many outputs, in order: first those that do not weigh samples. Names may still clash.
std::vector<LoggedMetric> LoggedMetrics(const OutputLoss& output, size_t outputs);
// "accuracy" of "fusebox/accuracy@1".
std::string ShortName(std::string_view id);

}  // namespace fusebox
