// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/describe/compile_args.h"

#include <algorithm>

#include "fusebox/graph/ops.h"
#include "fusebox/graph/status.h"
#include "fusebox/runtime/data/arrays.h"

namespace fusebox {
namespace {

class Reader {
 public:
  Reader(const std::string& model, const std::vector<std::string>& outputs) : model_(model), outputs_(outputs) {}

  // What each output gets; nothing for those that are not named.
  template <class T>
  absl::StatusOr<std::vector<std::optional<T>>> Each(ForOutputs<T> given, const char* what) const {
    std::vector<std::optional<T>> each(outputs_.size());
    if (!given.in_order.empty() && given.in_order.size() != outputs_.size()) {
      return Refuse("model '{}' has {} outputs ({}), got {} {}", model_, outputs_.size(), QuotedNames(outputs_),
                    given.in_order.size(), what);
    }
    for (size_t i = 0; i < given.in_order.size(); ++i) each[i] = std::move(given.in_order[i]);
    for (auto& [name, value] : given.named) {
      const auto output = std::ranges::find(outputs_, name);
      if (output == outputs_.end()) {
        return Refuse("model '{}' has no output '{}', for which {} are given: its outputs are {}", model_, name, what,
                      QuotedNames(outputs_));
      }
      each[size_t(output - outputs_.begin())] = std::move(value);
    }
    return each;
  }

 private:
  const std::string& model_;
  const std::vector<std::string>& outputs_;
};

absl::StatusOr<std::vector<ItemSpec>> Specs(std::vector<ItemArg> items) {
  std::vector<ItemSpec> specs;
  for (ItemArg& item : items) {
    FUSEBOX_RETURN_IF_ERROR(item.spec.status());
    specs.push_back(*std::move(item.spec));
  }
  return specs;
}

// A plain list is Keras's: all of it for one output, else one metric for each.
MetricsArg ForEach(MetricsArg metrics, size_t outputs) {
  if (metrics.list.empty()) return metrics;
  if (outputs == 1) {
    metrics.in_order = {std::move(metrics.list)};
  } else {
    for (ItemArg& metric : metrics.list) metrics.in_order.push_back({std::move(metric)});
  }
  return metrics;
}

}  // namespace

ItemSpec LossFn(std::string name, LossFunction function, std::source_location where) {
  const auto of_each = [function = std::move(function)](const Values& inputs) {
    const Value loss = function(inputs[0], inputs[1]);
    return loss.ok() && loss.rank() == 0 ? Broadcast(loss, {kBatch}) : loss;
  };
  return FunctionItem("loss", std::move(name), of_each, where);
}

ItemSpec MetricFn(std::string name, LossFunction function, std::source_location where) {
  const auto values = [function = std::move(function)](const Values& inputs) { return function(inputs[0], inputs[1]); };
  return FunctionItem("metric", std::move(name), values, where);
}

absl::StatusOr<CompileConfig> ReadCompileArgs(CompileArgs args, const std::string& model,
                                              const std::vector<std::string>& outputs) {
  CompileConfig compile;
  FUSEBOX_ASSIGN_OR_RETURN(compile.optimizer, std::move(args.optimizer.spec));
  if (args.loss.all) args.loss.in_order.assign(outputs.size(), *args.loss.all);
  const Reader reader(model, outputs);
  FUSEBOX_ASSIGN_OR_RETURN(auto losses, reader.Each<ItemArg>(std::move(args.loss), "losses"));
  FUSEBOX_ASSIGN_OR_RETURN(auto weights, reader.Each<double>(std::move(args.loss_weights), "loss_weights"));
  FUSEBOX_ASSIGN_OR_RETURN(
      auto metrics, reader.Each<std::vector<ItemArg>>(ForEach(std::move(args.metrics), outputs.size()), "metrics"));
  FUSEBOX_ASSIGN_OR_RETURN(
      auto weighted,
      reader.Each<std::vector<ItemArg>>(ForEach(std::move(args.weighted_metrics), outputs.size()), "weighted_metrics"));
  for (size_t i = 0; i < outputs.size(); ++i) {
    OutputLoss output{.output = outputs[i], .loss = {}, .weight = weights[i], .metrics = {}};
    if (losses[i]) {
      FUSEBOX_ASSIGN_OR_RETURN(output.loss, std::move(losses[i]->spec));
    }
    if (metrics[i]) {
      FUSEBOX_ASSIGN_OR_RETURN(output.metrics, Specs(*std::move(metrics[i])));
    }
    if (weighted[i]) {
      FUSEBOX_ASSIGN_OR_RETURN(output.weighted_metrics, Specs(*std::move(weighted[i])));
    }
    compile.outputs.push_back(std::move(output));
  }
  if (outputs.size() == 1 && !compile.outputs[0].weight) {
    compile.loss = std::move(compile.outputs[0].loss);
    compile.metrics = std::move(compile.outputs[0].metrics);
    compile.weighted_metrics = std::move(compile.outputs[0].weighted_metrics);
    compile.outputs.clear();
  }
  return compile;
}

}  // namespace fusebox
