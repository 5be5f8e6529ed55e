// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/programs/forward.h"

#include <algorithm>
#include <map>
#include <optional>
#include <ranges>
#include <utility>

#include "fusebox/graph/ops.h"
#include "fusebox/graph/status.h"
#include "fusebox/plugins/sdk/plugin_abi.h"
#include "fusebox/runtime/data/arrays.h"
#include "fusebox/runtime/describe/item_names.h"
#include "fusebox/runtime/expand/expand.h"
#include "fusebox/runtime/plugins/item_flags.h"
#include "fusebox/runtime/programs/penalties.h"

namespace fusebox {
namespace {

// Why the model gives other results for all steps at once than for one after another; empty if it does not.
std::string CannotGoByStep(const ModelConfig& model, bool frozen, bool training) {
  if (const size_t outputs = OutputsOf(model).size(); outputs != 1) {
    return fmt::format("expects a model with one output, got {}", outputs);
  }
  if (AddsLosses(model) || !AddedMetricNames(model).empty()) {
    return "takes no model with what AddLoss or AddMetric has added: add it to what comes out of this layer";
  }
  for (const LeafLayer& leaf : LeafLayers(model)) {
    const std::string id = ShortName(leaf.layer->item.id);
    if (id == "batch_normalization" && training && !frozen && leaf.trainable) {
      return fmt::format(
          "cannot train '{}' step by step, a batch_normalization: put it on [batch, time, features] "
          "itself, where its statistics are of all steps",
          leaf.path);
    }
    const std::string* const penalty = TextAttribute(leaf.layer->item, "activity_regularizer");
    if (id == "activity_regularization" || (penalty != nullptr && !penalty->empty())) {
      return fmt::format("takes no model whose layers have activity penalties, as '{}': put them behind", leaf.path);
    }
  }
  return "";
}

class ForwardWriter {
 public:
  explicit ForwardWriter(ProgramDraft& draft) : d_(draft), shared_paths_(SharedPaths(draft.model)) {}

  Values Outputs(const Values& inputs, std::vector<CallTypes>* types, size_t* at) {
    size_t call = 0;
    Masked made =
        Calls(d_.model, {inputs, std::vector<NodeId>(inputs.size())}, {false, d_.training}, types, at ? *at : call);
    d_.masks = std::move(made.masks);
    return std::move(made.values);
  }

 private:
  // How layers run: with weights that do not change; as in training.
  struct Mode {
    bool frozen = false, training = false;
  };

  // Values, and for each which of its steps count, bool[N, ...]; 0 where all do.
  struct Masked {
    Values values = {};
    std::vector<NodeId> masks = {};

    void Add(const Masked& from, size_t i) {
      values.push_back(from.values[i]);
      masks.push_back(from.masks[i]);
    }
  };

  // Calls all layers of a model, or of a model within it.
  Masked Calls(const ModelConfig& model, const Masked& inputs, Mode mode, std::vector<CallTypes>* types, size_t& at) {
    const std::vector<CallConfig> calls = CallsOf(model);
    const size_t input_count = inputs.values.size();
    std::vector<Masked> made(input_count + calls.size());  // By ValueRef::source.
    for (size_t i = 0; i < input_count; ++i) made[i].Add(inputs, i);
    if (types) types->resize(calls.size());
    const auto types_of = [&](const Values& values) {
      std::vector<Type> all;
      for (const Value& value : values) all.push_back(d_.b.graph()[value.id].type);
      return all;
    };
    for (const size_t i : CallOrder(model)) {
      at = i;
      const LayerConfig& layer = model.layers[calls[i].layer];
      Masked from;
      for (const ValueRef& input : calls[i].inputs) from.Add(made[input.source], input.output);
      Masked& to = made[input_count + i] = CallIn(ModeOf(calls[i], layer, mode), layer, from);
      if (to.values.empty()) return {};
      if (types) (*types)[i] = {types_of(from.values), types_of(to.values)};
    }
    if (d_.has_loss) Added(model, made);
    Masked outputs;
    for (const ValueRef& output : OutputsOf(model)) outputs.Add(made[output.source], output.output);
    return outputs;
  }

  Mode ModeOf(const CallConfig& call, const LayerConfig& layer, Mode around) {
    const Mode mode = {around.frozen || !layer.trainable, call.training.value_or(around.training)};
    if (mode.training && !d_.training) {
      d_.Fail(fmt::format(
          "'{}' is called with training = True, as Keras 2 allows: predict and evaluate cannot run it as in training, "
          "as their programs have no random numbers and change no statistics. Train it, or call it without the "
          "argument",
          layer.name));
    }
    return mode;
  }

  // What the user has added to the loss and to the logs.
  void Added(const ModelConfig& model, const std::vector<Masked>& made) {
    const HostBuilder::AbsoluteScope scope(d_.b, "losses");
    const auto number = [&](const ValueRef& ref, const char* what) {
      const Value value = made[ref.source].values[ref.output];
      if (value.ok() && value.dtype() != FB_F32) {
        return d_.Fail(
            fmt::format("model '{}': {} expects numbers, f32[...], got {}", model.name, what, ToString(value.type())));
      }
      return value;
    };
    for (const ValueRef& loss : model.added_losses) {
      const Value value = number(loss, "AddLoss");
      if (!value.ok()) return;
      Dims axes;
      for (int64_t i = 0; i < value.rank(); ++i) axes.push_back(i);
      d_.b.AddLoss(axes.empty() ? value : Sum(value, axes));
    }
    for (const AddedMetric& metric : model.added_metrics) {
      const Value value = number(metric.value, "AddMetric");
      if (value.ok()) d_.added_metrics.emplace_back(metric.name, value);
    }
  }

  // The values that a call returns; none after an error.
  Masked CallIn(Mode mode, const LayerConfig& layer, const Masked& inputs) {
    if (layer.IsTimeDistributedModel()) return CallStepByStep(layer, inputs, mode);
    if (layer.model) return CallModel(layer, inputs, mode);
    const NodeId first = d_.b.graph().size();
    std::string path = (d_.b.scope().empty() ? "" : d_.b.scope() + "/") + layer.name;
    // A layer that is called at several places of the model, in models within, has the weights of the first.
    std::optional<HostBuilder::AbsoluteScope> scope_of_first;
    std::string name = layer.name;
    if (const auto shared = shared_paths_.find(path); shared != shared_paths_.end()) {
      path = shared->second;
      const size_t slash = path.rfind('/');
      scope_of_first.emplace(d_.b, slash == std::string::npos ? "" : path.substr(0, slash));
      name = path.substr(slash + 1);
    }
    auto& states = states_[path];
    if (!states.empty()) d_.b.again = &states;
    d_.b.masks = inputs.masks;
    d_.b.mask = 0;
    const Value y =
        ExpandUse(d_.b, {FB_LAYER, layer.item, mode.training, mode.frozen}, inputs.values, name, d_.embedded);
    d_.b.again = nullptr;
    if (d_.b.mask == 0 && KeepsMask(layer.item)) d_.b.mask = inputs.masks[0];
    if (!y.ok()) return {};
    for (NodeId i = first; i < d_.b.graph().size(); ++i) {
      const Node& node = d_.b.graph()[i];
      if (node.op != Op::kState || !node.attributes.String("name").starts_with(path + "/")) continue;
      states.emplace(node.attributes.String("name"), i);
      if (mode.frozen) d_.frozen.insert(i);
    }
    if (d_.has_loss) {
      // Each call of the layer, wherever it stands, adds a penalty of its own.
      const int time = calls_of_[path]++;
      ActivityPenalty(layer, path + (time == 0 ? "/activity" : fmt::format("/activity_{}", time)), y);
    }
    return {{y}, {d_.b.mask}};
  }

  // Calls a model on each step of x [N, T, ...], as the plugin time_distributed calls a layer.
  Masked CallStepByStep(const LayerConfig& layer, const Masked& inputs, Mode mode) {
    const std::string outer = std::exchange(d_.b.who, fmt::format("'{}', layer time_distributed: ", layer.name));
    const auto fail = [&](std::string message) -> Masked {
      d_.Fail(std::move(message));
      return {};
    };
    if (inputs.values.size() != 1) return fail(fmt::format("takes 1 input, got {}", inputs.values.size()));
    const Value x = inputs.values[0];
    const Dims dims = x.dims();
    if (dims.size() < 3 || dims[0] >= 0 || dims[1] < 1) {
      return fail(fmt::format("expects input [batch, time, ...] of rank 3 or more with a fixed number of steps, got {}",
                              ToString(x.type())));
    }
    if (std::string wrong = CannotGoByStep(*layer.model, mode.frozen, mode.training); !wrong.empty())
      return fail(std::move(wrong));
    Dims merged(dims.begin() + 1, dims.end());
    if (__builtin_mul_overflow(dims[0], dims[1], &merged[0])) return fail(ToString(x.type()) + " is too large");
    d_.b.who = outer;
    const Masked made = CallModel(layer, {{Reshape(x, merged)}, {0}}, mode);
    if (made.values.empty() || !made.values[0].ok()) return {};
    Dims each = made.values[0].dims();
    each.insert(each.begin() + 1, dims[1]);
    each[0] = dims[0];
    return {{Reshape(made.values[0], each)}, {inputs.masks[0]}};
  }

  Masked CallModel(const LayerConfig& layer, const Masked& masked, Mode mode) {
    const Values& inputs = masked.values;
    const ModelConfig& inner = *layer.model;
    const std::string outer = std::exchange(d_.b.who, fmt::format("'{}': ", layer.name));
    const size_t count = std::max<size_t>(inner.inputs.size(), 1);
    if (inputs.size() != count) {
      d_.Fail(fmt::format("the model has {} input{}: {}; got {}", count, count == 1 ? "" : "s",
                          QuotedNames(InputNames(inner)), inputs.size()));
      return {};
    }
    Values converted;
    for (size_t i = 0; i < inputs.size(); ++i) {
      if (inner.inputs.empty()) {
        converted.push_back(inputs[i]);
        continue;
      }
      const InputConfig& input = inner.inputs[i];
      const Type expected = BatchType(input.dtype, input.shape), got = d_.b.graph()[inputs[i].id].type;
      // A model that is called step by step gets all steps of a batch as one larger batch.
      if (got.shape.empty() || got.shape[0] >= 0 || !std::ranges::equal(got.shape | std::views::drop(1), input.shape)) {
        d_.Fail(fmt::format("its input '{}' is {}, got {}", input.name, ToString(expected), ToString(got)));
        return {};
      }
      converted.push_back(Converted(inputs[i], input.dtype));
    }
    d_.b.who = outer;
    const HostBuilder::Scope scope(d_.b, layer.name);
    size_t at = 0;
    return Calls(inner, {converted, masked.masks}, mode, nullptr, at);
  }

  // Adds the penalty of a layer's activity_regularizer for its output, per sample.
  void ActivityPenalty(const LayerConfig& layer, const std::string& name, Value y) {
    const std::string* const text = TextAttribute(layer.item, "activity_regularizer");
    if (text == nullptr || text->empty()) return;
    const HostBuilder::AbsoluteScope scope(d_.b, "losses");
    const Value penalty = WritePenalty(d_, *text, y, name);
    if (penalty.ok()) d_.b.AddLoss(penalty / Extent(y, {0}));
  }

  ProgramDraft& d_;
  const std::map<std::string, std::string> shared_paths_;
  std::map<std::string, HostBuilder::StatesByName> states_;  // Of each layer that was called, by its path.
  std::map<std::string, int> calls_of_;                      // How often, where there is a loss.
};

}  // namespace

Values WriteForward(ProgramDraft& d, const Values& inputs, std::vector<CallTypes>* types, size_t* at) {
  return ForwardWriter(d).Outputs(inputs, types, at);
}

Value Converted(Value data, DType dtype) {
  return data.dtype() == uint32_t(dtype) ? data : Cast(data, uint32_t(dtype));
}

}  // namespace fusebox
