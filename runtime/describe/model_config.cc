// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/describe/model_config.h"

#include <algorithm>
#include <functional>
#include <map>
#include <ranges>
#include <set>

#include "fmt/format.h"
#include "fusebox/graph/check.h"
#include "fusebox/graph/status.h"
#include "fusebox/runtime/data/layer_variables.h"
#include "fusebox/runtime/describe/item_names.h"

namespace fusebox {
namespace {

std::vector<std::string> Ports(const char* port, const std::vector<std::string>& names) {
  if (names.size() < 2) return {port};
  std::vector<std::string> ports;
  for (const std::string& name : names) ports.push_back(fmt::format("{}/{}", port, name));
  return ports;
}

// Keras's map_graph: how far calls and layers are from the outputs.
class DepthOrder {
 public:
  explicit DepthOrder(const ModelConfig& model)
      : model_(model),
        inputs_(model.inputs.size()),
        node_depth_(inputs_ + model.calls.size()),
        layer_depth_(inputs_ + model.layers.size()),
        met_at_(inputs_ + model.layers.size()),
        finished_(inputs_ + model.calls.size()),
        noted_(inputs_ + model.calls.size()) {
    for (const ValueRef& output : model_.outputs) Search(output.source);
    for (const ValueRef& loss : model_.added_losses) Search(loss.source);
    for (const AddedMetric& metric : model_.added_metrics) Search(metric.value.source);
    for (auto node = from_inputs_.rbegin(); node != from_inputs_.rend(); ++node) {
      Note(*node);
      int64_t& of_layer = layer_depth_[LayerOf(*node)];
      of_layer = std::max(of_layer, node_depth_[*node]);
      node_depth_[*node] = of_layer;
      for (const size_t source : Sources(*node)) {
        Note(source);
        node_depth_[source] = std::max(node_depth_[source], of_layer + 1);
      }
    }
  }

  std::vector<size_t> Layers() {
    std::vector<size_t> order(layer_depth_.size());
    for (size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::ranges::stable_sort(order, [&](size_t a, size_t b) {
      return layer_depth_[a] != layer_depth_[b] ? layer_depth_[a] > layer_depth_[b] : met_at_[a] < met_at_[b];
    });
    return order;
  }

  std::vector<size_t> Calls() const {
    std::vector<size_t> order = nodes_;
    std::ranges::stable_sort(order, std::greater(), [&](size_t node) { return node_depth_[node]; });
    std::erase_if(order, [&](size_t node) { return node < inputs_; });
    for (size_t& node : order) node -= inputs_;
    return order;
  }

 private:
  size_t LayerOf(size_t node) const { return node < inputs_ ? node : inputs_ + model_.calls[node - inputs_].layer; }
  std::vector<size_t> Sources(size_t node) const {
    std::vector<size_t> sources;
    if (node < inputs_) return sources;
    for (const ValueRef& input : model_.calls[node - inputs_].inputs) sources.push_back(input.source);
    return sources;
  }

  // In the order in which Keras's dictionary of depths gets them.
  void Note(size_t node) {
    if (!noted_[node]) nodes_.push_back(node);
    noted_[node] = true;
  }

  // Depth first, without recursion: a chain of a million calls is no reason to overflow the stack.
  void Search(size_t output) {
    struct Step {
      size_t node, next;
    };
    std::vector<Step> stack;
    const auto enter = [&](size_t node) {
      if (finished_[node]) return;
      int64_t& met = met_at_[LayerOf(node)];
      if (met == 0) met = ++met_;
      stack.push_back({node, 0});
    };
    enter(output);
    while (!stack.empty()) {
      Step& step = stack.back();
      const std::vector<size_t> sources = Sources(step.node);
      if (step.next < sources.size()) {
        enter(sources[step.next++]);
        continue;
      }
      if (!finished_[step.node]) from_inputs_.push_back(step.node);
      finished_[step.node] = true;
      stack.pop_back();
    }
  }

  const ModelConfig& model_;
  const size_t inputs_;
  std::vector<int64_t> node_depth_, layer_depth_, met_at_;
  std::vector<bool> finished_, noted_;
  std::vector<size_t> from_inputs_, nodes_;
  int64_t met_ = 0;
};

void AddLeaves(const ModelConfig& model, const std::string& scope, bool trainable, std::vector<LeafLayer>& leaves) {
  for (const LayerConfig& layer : model.layers) {
    const std::string path = scope + layer.name;
    if (layer.model) {
      AddLeaves(*layer.model, path + "/", trainable && layer.trainable, leaves);
    } else {
      leaves.push_back({path, &layer, trainable && layer.trainable});
    }
  }
}

// Gives the layer of this path these variables; where there are none yet, takes (or makes) the layer's own. False if
// there is no such layer.
bool SetVariablesAt(ModelConfig& model, std::string_view path, std::shared_ptr<LayerVariables>& variables) {
  const std::string_view name = path.substr(0, path.find('/'));
  const auto layer = std::ranges::find(model.layers, name, &LayerConfig::name);
  if (layer == model.layers.end()) return false;
  if (name.size() < path.size()) {
    if (layer->model == nullptr) return false;
    auto inner = std::make_shared<ModelConfig>(*layer->model);
    if (!SetVariablesAt(*inner, path.substr(name.size() + 1), variables)) return false;
    layer->model = std::move(inner);
    return true;
  }
  if (layer->variables == nullptr) layer->variables = std::make_shared<LayerVariables>(layer->trainable);
  if (variables == nullptr) variables = layer->variables;
  layer->variables = variables;
  return true;
}

}  // namespace

bool LayerConfig::operator==(const LayerConfig& other) const {
  const bool same_model = model && other.model ? *model == *other.model : model == other.model;
  return item == other.item && name == other.name && trainable == other.trainable && same_model;
}

std::vector<CallConfig> CallsOf(const ModelConfig& model) {
  if (!model.IsStack()) return model.calls;
  std::vector<CallConfig> calls;
  // A stack has one input, known or not.
  for (size_t i = 0; i < model.layers.size(); ++i) calls.push_back({i, {{i, 0}}});
  return calls;
}

std::vector<ValueRef> OutputsOf(const ModelConfig& model) {
  return model.IsStack() ? std::vector<ValueRef>{{model.layers.size(), 0}} : model.outputs;
}

std::vector<std::string> InputNames(const ModelConfig& model) {
  std::vector<std::string> names;
  for (const InputConfig& input : model.inputs) names.push_back(input.key.empty() ? input.name : input.key);
  return names;
}

std::vector<std::string> OutputNames(const ModelConfig& model) {
  if (model.IsStack()) return {model.layers.empty() ? "y" : model.layers.back().name};
  if (model.IsSubclass() || !model.output_names.empty()) return model.output_names;
  std::vector<std::string> names;
  std::set<std::string> taken;
  for (const ValueRef& output : model.outputs) {
    const size_t inputs = model.inputs.size();
    const std::string base = output.source < inputs ? model.inputs[output.source].name
                                                    : model.layers[model.calls[output.source - inputs].layer].name;
    std::string name = base;
    for (int i = 1; !taken.insert(name).second; ++i) name = fmt::format("{}_{}", base, i);
    names.push_back(std::move(name));
  }
  return names;
}

std::vector<size_t> LayerOrder(const ModelConfig& model) {
  if (!model.IsStack() && !model.IsSubclass()) return DepthOrder(model).Layers();
  std::vector<size_t> order(model.inputs.size() + model.layers.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  return order;
}

std::vector<size_t> CallOrder(const ModelConfig& model) {
  if (!model.IsStack() && !model.IsSubclass()) return DepthOrder(model).Calls();
  std::vector<size_t> order(CallsOf(model).size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  return order;
}

void SortLayers(ModelConfig& model) {
  const size_t inputs = model.inputs.size();
  std::vector<LayerConfig> sorted;
  std::vector<size_t> place(model.layers.size());
  for (const size_t i : LayerOrder(model)) {
    if (i < inputs) continue;
    place[i - inputs] = sorted.size();
    sorted.push_back(std::move(model.layers[i - inputs]));
  }
  model.layers = std::move(sorted);
  for (CallConfig& call : model.calls) call.layer = place[call.layer];
}

std::vector<std::string> LayersInCycle(const ModelConfig& model) {
  const size_t inputs = model.inputs.size();
  std::vector<bool> gone(model.calls.size());
  const auto waits_for = [&](size_t call, size_t other) {
    return std::ranges::any_of(model.calls[call].inputs, [&](ValueRef v) { return v.source == inputs + other; });
  };
  const auto all = std::views::iota(size_t{0}, model.calls.size());
  const auto has_left = [&](const auto& needs) {
    return std::ranges::any_of(all, [&](size_t i) { return !gone[i] && needs(i); });
  };
  // Without those that wait for none, and those that none waits for, circles are left, and what lies between two.
  for (bool found = true; found;) {
    found = false;
    for (const size_t call : all) {
      if (gone[call] || (has_left([&](size_t other) { return waits_for(call, other); }) &&
                         has_left([&](size_t other) { return waits_for(other, call); })))
        continue;
      gone[call] = found = true;
    }
  }
  std::vector<std::string> names;
  for (const size_t call : all) {
    const std::string& name = model.layers[model.calls[call].layer].name;
    if (!gone[call] && std::ranges::find(names, name) == names.end()) names.push_back(name);
  }
  return names;
}

std::optional<std::vector<size_t>> SortCalls(ModelConfig& model) {
  const size_t inputs = model.inputs.size();
  std::vector<std::vector<size_t>> of_layer(model.layers.size());
  for (size_t i = 0; i < model.calls.size(); ++i) of_layer[model.calls[i].layer].push_back(i);
  std::vector<size_t> next(model.layers.size()), place(model.calls.size()), before;
  std::vector<bool> done(model.calls.size());
  const auto is_ready = [&](const CallConfig& call) {
    return std::ranges::all_of(call.inputs, [&](ValueRef v) { return v.source < inputs || done[v.source - inputs]; });
  };
  for (bool found = true; found;) {
    found = false;
    for (size_t layer = 0; layer < of_layer.size(); ++layer) {
      for (; next[layer] < of_layer[layer].size(); ++next[layer]) {
        const size_t call = of_layer[layer][next[layer]];
        if (!is_ready(model.calls[call])) break;
        done[call] = found = true;
        place[call] = before.size();
        before.push_back(call);
      }
    }
  }
  if (before.size() != model.calls.size()) return std::nullopt;
  const auto renumber = [&](ValueRef& v) {
    if (v.source >= inputs) v.source = inputs + place[v.source - inputs];
  };
  std::vector<CallConfig> sorted;
  for (const size_t call : before) {
    std::ranges::for_each(model.calls[call].inputs, renumber);
    sorted.push_back(std::move(model.calls[call]));
  }
  model.calls = std::move(sorted);
  std::ranges::for_each(model.outputs, renumber);
  std::ranges::for_each(model.added_losses, renumber);
  for (AddedMetric& metric : model.added_metrics) renumber(metric.value);
  return before;
}

ModelConfig Frozen(const ModelConfig& model) {
  ModelConfig frozen = model;
  for (LayerConfig& layer : frozen.layers) {
    if (layer.model) layer.model = std::make_shared<const ModelConfig>(Frozen(*layer.model));
  }
  if (!model.IsSubclass()) return frozen;
  frozen.class_name.clear();
  frozen.output_names.clear();
  frozen.members = 0;
  std::vector<size_t> place(model.layers.size(), model.layers.size());
  std::vector<LayerConfig> called;
  for (CallConfig& call : frozen.calls) {
    if (place[call.layer] == model.layers.size()) {
      place[call.layer] = called.size();
      called.push_back(frozen.layers[call.layer]);
    }
    call.layer = place[call.layer];
  }
  frozen.layers = std::move(called);
  SortLayers(frozen);
  Check(SortCalls(frozen).has_value(), "calls that wait for each other");
  if (!frozen.compile) return frozen;
  const std::vector<std::string> names = OutputNames(frozen);
  for (size_t i = 0; i < frozen.compile->outputs.size(); ++i) frozen.compile->outputs[i].output = names[i];
  return frozen;
}

bool AddsLosses(const ModelConfig& model) {
  const auto within = [](const LayerConfig& layer) { return layer.model && AddsLosses(*layer.model); };
  return !model.added_losses.empty() || std::ranges::any_of(model.layers, within);
}

std::vector<std::string> AddedMetricNames(const ModelConfig& model) {
  std::vector<std::string> names;
  for (const AddedMetric& metric : model.added_metrics) names.push_back(metric.name);
  for (const CallConfig& call : CallsOf(model)) {
    const LayerConfig& layer = model.layers[call.layer];
    if (!layer.model) continue;
    for (std::string& name : AddedMetricNames(*layer.model)) names.push_back(std::move(name));
  }
  return names;
}

std::string KerasClassOf(const LayerConfig& layer) {
  if (layer.IsTimeDistributedModel()) return KerasClassName(layer.item.id);
  if (layer.model && layer.model->IsSubclass()) return layer.model->class_name;
  if (layer.model) return layer.model->IsStack() ? "Sequential" : "Functional";
  return KerasClassName(layer.item.id);
}

std::vector<LeafLayer> LeafLayers(const ModelConfig& model) {
  std::vector<LeafLayer> leaves;
  AddLeaves(model, "", true, leaves);
  return leaves;
}

std::map<std::string, std::string> SharedPaths(const ModelConfig& model) {
  std::map<std::string, std::string> shared;
  std::map<const LayerVariables*, std::string> first;
  for (const LeafLayer& leaf : LeafLayers(model)) {
    if (leaf.layer->variables == nullptr) continue;
    const auto [at, is_first] = first.emplace(leaf.layer->variables.get(), leaf.path);
    if (!is_first) shared[leaf.path] = at->second;
  }
  return shared;
}

absl::Status ShareLayers(const std::map<std::string, std::string>& shared_paths, ModelConfig& model) {
  for (const auto& [path, first] : shared_paths) {
    std::shared_ptr<LayerVariables> variables;
    for (const std::string& place : {first, path}) {
      if (SetVariablesAt(model, place, variables)) continue;
      return Refuse("model '{}' has no layer '{}', which is to be shared", model.name, place);
    }
  }
  return absl::OkStatus();
}

bool CompileConfig::HasLoss() const {
  return !problem.empty() || !loss.id.empty() || std::ranges::any_of(outputs, &OutputLoss::HasLoss);
}

std::vector<OutputLoss> LossesOf(const ModelConfig& model) {
  if (!model.compile) return {};
  if (!model.compile->outputs.empty()) return model.compile->outputs;
  if (!model.compile->problem.empty()) {
    std::vector<OutputLoss> none;
    for (std::string& name : OutputNames(model)) none.push_back({std::move(name), {}, {}, {}, {}});
    return none;
  }
  return {{.output = OutputNames(model)[0],
           .loss = model.compile->loss,
           .weight = std::nullopt,
           .metrics = model.compile->metrics,
           .weighted_metrics = model.compile->weighted_metrics}};
}

std::vector<std::string> InputPorts(const ModelConfig& model) { return Ports("x", InputNames(model)); }
std::vector<std::string> OutputPorts(const ModelConfig& model) { return Ports("y", OutputNames(model)); }

}  // namespace fusebox
