// SPDX-License-Identifier: Apache-2.0
#include "fusebox/graph/evaluate.h"

#include <map>

#include "fmt/format.h"
#include "fusebox/graph/ops/evaluation.h"
#include "fusebox/graph/text.h"
#include "fusebox/graph/verify.h"

namespace fusebox {
namespace {

constexpr int64_t kMaxBytes = int64_t{16} << 30;

template <class... T>
absl::Status Wrong(fmt::format_string<T...> format, T&&... arguments) {
  return absl::InvalidArgumentError(fmt::format(format, std::forward<T>(arguments)...));
}

absl::StatusOr<Sizes> SizesOf(const Type& type, int64_t batch) {
  Sizes sizes;
  int64_t bytes = SizeOf(type.dtype);
  bool empty = false, huge = false;
  for (const int64_t d : type.shape) {
    int64_t n = d;
    if (d < 0) huge |= __builtin_mul_overflow(-d, batch, &n);
    empty |= n == 0;
    huge |= !empty && (__builtin_mul_overflow(bytes, n, &bytes) || bytes > kMaxBytes);
    sizes.push_back(n);
  }
  if (huge && !empty) return Wrong("{} is too large for N = {}", ToString(type), batch);
  return sizes;
}

const Literal* Find(const std::map<std::string, Literal>& bound, const std::string& name) {
  const auto it = bound.find(name);
  return it != bound.end() ? &it->second : nullptr;
}

// An input or a state: the array that the caller gave, which has to have the node's type.
absl::StatusOr<Literal> Bound(const Node& node, const Bindings& bindings, const Sizes& shape) {
  const bool state = node.info().binding == Binding::kState;
  const std::string& name = node.attributes.String("name");
  const Literal* given = Find(state ? bindings.states : bindings.inputs, name);
  const char* what = state ? "state" : "input";
  if (given == nullptr) return Wrong("{} '{}' ({}) is not given", what, name, ToString(node.type));
  if (given->dtype() != node.type.dtype || given->shape() != shape) {
    return Wrong("{} '{}': expected {} with N = {}, got {}", what, name, ToString(node.type), bindings.batch,
                 TypeText(*given));
  }
  return *given;
}

absl::StatusOr<Literal> RowsOf(const Node& node, const Bindings& bindings, const Literal& order, const Sizes& shape) {
  const std::string& name = node.attributes.String("name");
  const Literal* all = Find(bindings.inputs, name);
  if (all == nullptr) return Wrong("data set '{}' ({}) is not given", name, ToString(node.type));
  Sizes one = shape, got = all->shape();
  if (!got.empty()) one[0] = got[0];
  if (all->dtype() != node.type.dtype || got != one) {
    return Wrong("data set '{}': expected rows as in {}, got {}", name, ToString(node.type), TypeText(*all));
  }
  const std::vector<int64_t> rows = order.ToInts();
  for (size_t i = 0; i < rows.size(); ++i) {
    if (rows[i] < 0 || rows[i] >= got[0]) {
      return Wrong("data set '{}': order[{}] is {}, which is not a row of {}", name, i, rows[i], TypeText(*all));
    }
  }
  return evaluate::TakeRows(*all, rows, shape);
}

// The last node that needs each value; the graph's size for those that are kept.
std::vector<NodeId> LastUses(const Graph& graph, const std::vector<bool>& needed) {
  std::vector<NodeId> last(graph.size());
  for (NodeId id = 1; id < graph.size(); ++id) {
    if (!needed[id]) continue;
    for (const NodeId input : graph[id].inputs) last[input] = id;
  }
  for (const auto& output : graph.outputs()) last[output.value] = graph.size();
  for (const auto& update : graph.updates()) last[update.value] = graph.size();
  return last;
}

absl::StatusOr<std::vector<Literal>> Evaluate(const Graph& graph, const Bindings& bindings, bool keep_all) {
  if (absl::Status s = Verify(graph, Stage::kDeclared); !s.ok()) return s;
  if (bindings.batch < 0) return Wrong("expected a batch size of 0 or more, got {}", bindings.batch);
  const std::vector<bool> needed = Reachable(graph);
  const std::vector<NodeId> last = LastUses(graph, needed);
  std::vector<Literal> values(graph.size());
  std::map<NodeId, std::vector<Literal>> results;  // Of control nodes, all of them.
  for (NodeId id = 1; id < graph.size(); ++id) {
    if (!needed[id]) continue;
    const Node& node = graph[id];
    std::vector<const Literal*> inputs;
    for (const NodeId input : node.inputs) inputs.push_back(&values[input]);
    absl::StatusOr<Literal> value = Literal();
    if (const Binding binding = node.info().binding; binding != Binding::kNone) {
      const absl::StatusOr<Sizes> shape = SizesOf(node.type, bindings.batch);
      if (!shape.ok()) return shape.status();
      value = binding == Binding::kDataSet ? RowsOf(node, bindings, *inputs[0], *shape) : Bound(node, bindings, *shape);
    } else if (node.op == Op::kResult) {
      value = results.at(node.inputs[0])[size_t(node.attributes.Int("index"))];
    } else if (node.info().evaluate_results != nullptr) {
      absl::StatusOr<std::vector<Literal>> all = node.info().evaluate_results({node, inputs, {}, bindings.batch});
      if (all.ok()) {
        value = all->front();
        results[id] = *std::move(all);
      } else {
        value = all.status();
      }
    } else {
      value = EvaluateNode(node, inputs, bindings.batch);
    }
    if (!value.ok()) return Wrong("{}: {}", PrintNode(graph, id), std::string(value.status().message()));
    values[id] = *std::move(value);
    if (keep_all) continue;
    for (const NodeId input : node.inputs) {
      if (last[input] == id) values[input] = Literal();
    }
  }
  return values;
}

}  // namespace

absl::StatusOr<Literal> EvaluateNode(const Node& node, std::span<const Literal* const> inputs, int64_t batch) {
  absl::StatusOr<Sizes> shape = SizesOf(node.type, batch);
  if (!shape.ok()) return shape.status();
  const OpInfo& info = node.info();
  const EvaluateContext context{node, inputs, *std::move(shape), batch};
  if (info.evaluate != nullptr) return info.evaluate(context);
  if (info.evaluate_results != nullptr) {
    absl::StatusOr<std::vector<Literal>> results = info.evaluate_results(context);
    if (!results.ok()) return results.status();
    return std::move(results->front());
  }
  if (info.binding != Binding::kNone) return Wrong("{}: has no value without its binding", info.name);
  if (info.kind == OpKind::kControl) return Wrong("a result is one of another node");
  return Wrong("a derivative has to be written out before it can be evaluated");
}

absl::StatusOr<std::vector<Literal>> EvaluateNodes(const Graph& graph, const Bindings& bindings) {
  return Evaluate(graph, bindings, true);
}

absl::StatusOr<Evaluation> Evaluate(const Graph& graph, const Bindings& bindings) {
  const absl::StatusOr<std::vector<Literal>> values = Evaluate(graph, bindings, false);
  if (!values.ok()) return values.status();
  Evaluation result;
  for (const auto& [name, value] : graph.outputs()) result.outputs[name] = (*values)[value];
  for (const auto& [state, value] : graph.updates()) {
    result.states[graph[state].attributes.String("name")] = (*values)[value];
  }
  return result;
}

}  // namespace fusebox
