// SPDX-License-Identifier: Apache-2.0
// What goes into the programs of a model and what comes out: names and types.
#pragma once
#include <string>
#include <vector>

#include "fusebox/graph/graph.h"
#include "fusebox/runtime/describe/model_config.h"

namespace fusebox {

// What the program reads: the types of a batch of the data, so their first dimension is N. Programs with a
// loss have one y for each of TargetOutputs.
struct BatchTypes {
  std::vector<Type> x, y;  // Of the inputs, and of the targets.
  // Of the samples' weights, f32[N] or, of each step, f32[N, steps]: none; one for all targets, "sample_weight"; or one
  // for each, "sample_weight/main_output", where a type without a dtype says none. See WeightPorts.
  std::vector<Type> weights = {};

  bool operator==(const BatchTypes&) const = default;
};

// Whether an output has a loss or metrics.
bool NeedsTarget(const OutputLoss& output);
// Which of the outputs have a loss or metrics, so that they need targets.
std::vector<size_t> TargetOutputs(const ModelConfig& model);
// The names of the ports for `weights` arrays of weights.
std::vector<std::string> WeightPorts(const ModelConfig& model, size_t weights);

// What evaluation and training report, in Keras's order: "accuracy", "loss"; of several losses "main_output_loss", too.
// One name stands for all elements of a metric of several numbers, see NamesOfElements.
std::vector<std::string> LogNames(const ModelConfig& model);

// The names under which an output of a program is logged: its own, or, if it is a vector, one for each element:
// "f1_score_0", "f1_score_1", ...
std::vector<std::string> NamesOfElements(const std::string& name, const Shape& shape);

// The type of a batch of the model's input: f32[N,28,28].
Type BatchType(DType dtype, const Shape& shape_of_a_sample);

// A metric, and the name under which its result is logged: its attribute `name`, else that of the item;
// "weighted_<name>" of a weighted one whose name another metric has. Of several outputs each begins with the output's
// name.
struct LoggedMetric {
  const ItemSpec* item;  // Of the output that was asked.
  std::string name;      // Under which it is logged.
  bool weighted;         // Whether samples count by their weights.
};
// The metrics of one output of a model with `outputs` outputs, first those that do not weight samples. Names may clash.
std::vector<LoggedMetric> LoggedMetrics(const OutputLoss& output, size_t outputs);

// What goes into each call and what comes out.
struct CallTypes {
  std::vector<Type> inputs, outputs;  // In the order of the call.
};

}  // namespace fusebox
