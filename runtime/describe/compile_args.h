// SPDX-License-Identifier: Apache-2.0
// What Compile is told: how a model is to learn. Names and defaults are Keras's.
#pragma once
#include <functional>
#include <initializer_list>
#include <optional>
#include <source_location>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "fusebox/runtime/describe/item_spec.h"
#include "fusebox/runtime/describe/model_config.h"

namespace fusebox {

// An optimizer, loss, metric or callback: its name, with or without attributes, "sgd" or
// "sgd:learning_rate=0.1,momentum=0.9".
struct ItemArg {
  ItemArg(const char* text) : ItemArg(std::string(text)) {}
  ItemArg(const std::string& text) : spec(ParseItemSpec(text)) {}
  ItemArg(ItemSpec item) : spec(std::move(item)) {}

  absl::StatusOr<ItemSpec> spec;  // The item, or why the text is none.
};

// A loss of the user's own, one number for each sample (or several, or one for all of the batch):
//
//   .loss = fb::LossFn("huber_ish", [](fb::Value y_true, fb::Value y_pred) { return fb::Mean(..., {-1}); })
//
// y_true is f32, in the shape of y_pred where the two differ by a last axis of 1. The function writes symbols, as that
// of a fb::Lambda does. Training minimizes the mean over the batch. Source: keras.losses.LossFunctionWrapper.
using LossFunction = std::function<Value(Value y_true, Value y_pred)>;
ItemSpec LossFn(std::string name, LossFunction function, std::source_location where = std::source_location::current());
// A metric of the user's own, logged by its name: the mean of the function's numbers over all samples of the epoch so
// far.
// Source: keras.metrics.MeanMetricWrapper.
ItemSpec MetricFn(std::string name, LossFunction function,
                  std::source_location where = std::source_location::current());

// One value for each output of a model, in order or by name.
template <class T>
struct ForOutputs {
  std::vector<T> in_order = {};                       // One for each output, or
  std::vector<std::pair<std::string, T>> named = {};  // by the outputs' names.

  // Whether nothing was given.
  bool empty() const { return in_order.empty() && named.empty(); }
};

// "mse" for all outputs; {"mse", "mae"} in their order; {{"main_output", "mse"}, {"aux_output", "mae"}} by name, where
// an output that is left out has no loss.
struct LossArg : ForOutputs<ItemArg> {
  LossArg() = default;
  LossArg(const char* one) : all(one) {}
  LossArg(const std::string& one) : all(one) {}
  LossArg(ItemSpec one) : all(std::move(one)) {}
  LossArg(std::initializer_list<ItemArg> list) { in_order = list; }
  LossArg(std::initializer_list<std::pair<std::string, ItemArg>> list) { named.assign(list.begin(), list.end()); }

  std::optional<ItemArg> all;  // The loss of all outputs.
};

// {"accuracy"} of a model with one output; of several {{"main_output", {"mae"}}, {"aux_output", {"mae", "mse"}}}, or
// one metric for each, {"mae", "mse"}.
struct MetricsArg : ForOutputs<std::vector<ItemArg>> {
  MetricsArg() = default;
  MetricsArg(std::vector<ItemArg> some) : list(std::move(some)) {}
  MetricsArg(std::initializer_list<ItemArg> some) : list(some) {}
  MetricsArg(std::initializer_list<std::pair<std::string, std::vector<ItemArg>>> by_name) {
    named.assign(by_name.begin(), by_name.end());
  }

  std::vector<ItemArg> list;  // Those of the only output, or one for each.
};

// {0.9, 0.1} or {{"main_output", 0.9}, {"aux_output", 0.1}}; those left out are 1.
struct LossWeightsArg : ForOutputs<double> {
  LossWeightsArg() = default;
  LossWeightsArg(std::initializer_list<double> list) { in_order = list; }
  LossWeightsArg(std::initializer_list<std::pair<std::string, double>> list) { named.assign(list.begin(), list.end()); }
};

// What Compile is told. Source: keras.Model.compile.
struct CompileArgs {
  ItemArg optimizer = "rmsprop";      // How gradients change weights.
  LossArg loss = {};                  // There is no default.
  LossWeightsArg loss_weights = {};   // What each loss counts in the sum of all.
  MetricsArg metrics = {};            // What is logged besides the losses.
  MetricsArg weighted_metrics = {};   // Metrics that apply the samples' weights, if there are any.
  bool keep_optimizer_state = false;  // Keeps the slots if the optimizer is of the same kind as before.
};

// Converts the arguments for a model with these outputs. Errors: a malformed item; a loss, weight or metric for an
// output that the model lacks; another number of them than of outputs.
absl::StatusOr<CompileConfig> ReadCompileArgs(CompileArgs args, const std::string& model,
                                              const std::vector<std::string>& outputs);

}  // namespace fusebox
