// SPDX-License-Identifier: Apache-2.0
#include "fusebox/graph/verify.h"

#include <algorithm>
#include <span>
#include <string>
#include <unordered_set>

#include "fmt/format.h"
#include "fusebox/graph/regions.h"
#include "fusebox/graph/state_kind.h"
#include "fusebox/graph/text.h"
#include "fusebox/graph/text_syntax.h"

namespace fusebox {
namespace {

constexpr int64_t kMaxDim = int64_t{1} << 48;
constexpr int kMaxDepth = 16;

absl::Status Wrong(std::string message) { return absl::InvalidArgumentError(std::move(message)); }

absl::Status CheckAxes(const Node& node, const Type& input) {
  if (const AttributeValue* axis = node.attributes.Find("axis"); axis != nullptr) {
    const int64_t a = node.attributes.Int("axis");
    if (a < 0 || a >= input.rank()) return Wrong(fmt::format("expected an axis of {}, found {}", ToString(input), a));
  }
  const Ints& axes = node.attributes.List("axes");
  for (size_t i = 0; i < axes.size(); ++i) {
    if (axes[i] < 0 || axes[i] >= input.rank() || (i > 0 && axes[i] <= axes[i - 1])) {
      return Wrong(
          fmt::format("expected axes of {} in ascending order, found [{}]", ToString(input), fmt::join(axes, ", ")));
    }
  }
  return absl::OkStatus();
}

class Verifier {
 public:
  Verifier(const Graph& graph, Stage stage, int depth) : graph_(graph), stage_(stage), depth_(depth) {}

  absl::Status Run() {
    for (NodeId id = 1; id < graph_.size(); ++id) {
      const Node& node = graph_[id];
      if (!IsOp(node.op)) return Wrong(fmt::format("value {}: no op has the number {}", id, int(node.op)));
      if (node.type.dtype == DType::kError || node.type.dtype > DType::kBool)
        return Wrong(fmt::format("value {}: has no dtype", id));
    }
    for (NodeId id = 1; id < graph_.size(); ++id) {
      const absl::Status status = CheckNode(id);
      if (!status.ok()) {
        const std::string& source = graph_[id].source;
        return Wrong(fmt::format("{}: {}{}", PrintNode(graph_, id), std::string(status.message()),
                                 source.empty() ? "" : " [" + source + "]"));
      }
    }
    if (absl::Status s = CheckOutputs(); !s.ok()) return s;
    return CheckUpdates();
  }

 private:
  absl::Status CheckNode(NodeId id) {
    const Node& node = graph_[id];
    std::vector<Type> inputs;
    for (const NodeId input : node.inputs) {
      if (input == 0 || input >= id) return Wrong(fmt::format("input {} does not come before it", input));
      inputs.push_back(graph_[input].type);
    }
    if (stage_ >= Stage::kDifferentiated && node.info().kind == OpKind::kDerivative) {
      return Wrong("a derivative should have been written out by now");
    }
    if (absl::Status s = CheckType(node, inputs); !s.ok()) return s;
    if (!inputs.empty()) {
      if (absl::Status s = CheckAxes(node, inputs[0]); !s.ok()) return s;
    }
    if (absl::Status s = CheckName(node); !s.ok()) return s;
    return CheckRegions(node, inputs);
  }

  static absl::Status CheckType(const Node& node, const std::vector<Type>& inputs) {
    const Type& type = node.type;
    if (type.rank() > FB_MAX_RANK)
      return Wrong(fmt::format("expected at most {} axes, found {}", int(FB_MAX_RANK), type.rank()));
    for (const int64_t d : type.shape) {
      if (d > kMaxDim || d < -kMaxDim) return Wrong(fmt::format("no axis can have size {}", d));
    }
    if (!SymbolicProduct(type.shape)) return Wrong("is too large, or has more than one symbolic axis");
    const absl::StatusOr<Type> inferred = InferType(node.op, {inputs, node.attributes, &type});
    if (!inferred.ok()) return inferred.status();
    if (*inferred != type) return Wrong(fmt::format("expected the type {}", ToString(*inferred)));
    return absl::OkStatus();
  }

  absl::Status CheckName(const Node& node) {
    const Binding binding = node.info().binding;
    if (binding == Binding::kNone) return absl::OkStatus();
    const bool state = binding == Binding::kState;
    const std::string& name = node.attributes.String("name");
    if (name.empty()) return Wrong("expected a name that is not empty");
    if (!(state ? states_ : inputs_).insert(name).second) {
      return Wrong(fmt::format("{} name {} is taken already", state ? "the state" : "the input", Quote(name)));
    }
    if (!state) return absl::OkStatus();
    if (StateKindOf(node.attributes.String("kind")) == 0) {
      return Wrong(fmt::format("expected kind = one of [{}], found {}",
                               fmt::join(std::span(kStateKindNames).subspan(1), ", "),
                               Quote(node.attributes.String("kind"))));
    }
    if (std::ranges::any_of(node.type.shape, [](int64_t d) { return d < 0; })) {
      return Wrong("expected fixed dimensions, for a state outlives the batch");
    }
    return absl::OkStatus();
  }

  // Regions see only their operands and change no state. See regions.h.
  absl::Status CheckRegions(const Node& node, const std::vector<Type>& inputs) {
    if (node.op == Op::kCall && stage_ >= Stage::kFlat) return Wrong("a call should have been replaced by its region");
    if (node.op == Op::kResult) return CheckResult(node);
    const bool control = node.info().kind == OpKind::kControl;
    if (node.regions.size() != size_t(node.info().regions)) {
      return Wrong(fmt::format("expected {} regions, found {}", node.info().regions, node.regions.size()));
    }
    if (!control) return absl::OkStatus();
    if (depth_ >= kMaxDepth) return Wrong(fmt::format("expected at most {} nested regions", kMaxDepth));
    for (const Graph& region : node.regions) {
      if (absl::Status s = CheckRegion(node, region, inputs); !s.ok()) return s;
    }
    const absl::StatusOr<std::vector<Type>> results = ResultTypes(node, inputs);
    if (!results.ok()) return results.status();
    if (results->front() != node.type) return Wrong(fmt::format("its region returns {}", ToString(results->front())));
    return absl::OkStatus();
  }

  absl::Status CheckRegion(const Node& node, const Graph& body, const std::vector<Type>& operands) {
    if (absl::Status s = Verifier(body, stage_, depth_ + 1).Run(); !s.ok())
      return Wrong("in its region: " + std::string(s.message()));
    for (NodeId id = 1; id < body.size(); ++id) {
      const Binding binding = body[id].info().binding;
      if (binding == Binding::kNone) continue;
      if (binding != Binding::kInput) {
        return Wrong(fmt::format("a region has inputs only, found {}", PrintNode(body, id)));
      }
      const size_t i = OperandOf(body[id]);
      if (i >= operands.size()) {
        return Wrong(fmt::format("its region's input {} is none of its {} operands",
                                 Quote(body[id].attributes.String("name")), operands.size()));
      }
      if (const Type type = TypeInRegion(node, i, operands[i]); body[id].type != type) {
        return Wrong(
            fmt::format("its region expects {} for operand {}, found {}", ToString(body[id].type), i, ToString(type)));
      }
    }
    return absl::OkStatus();
  }

  absl::Status CheckResult(const Node& node) const {
    const Node& of = graph_[node.inputs[0]];
    if (of.op != Op::kCond && of.op != Op::kScan && of.op != Op::kWhile) {
      return Wrong(fmt::format("expected the result of a cond, scan or while, found {}", of.info().name));
    }
    std::vector<Type> operands;
    for (const NodeId input : of.inputs) operands.push_back(graph_[input].type);
    const absl::StatusOr<std::vector<Type>> types = ResultTypes(of, operands);
    if (!types.ok()) return types.status();
    const int64_t index = node.attributes.Int("index");
    if (index < 1 || index >= int64_t(types->size())) {
      return Wrong(fmt::format("expected a result of {}, found number {}", types->size(), index));
    }
    if ((*types)[size_t(index)] != node.type) {
      return Wrong(fmt::format("expected the type {}", ToString((*types)[size_t(index)])));
    }
    return absl::OkStatus();
  }

  absl::Status CheckOutputs() const {
    std::unordered_set<std::string> names;
    for (const auto& [name, value] : graph_.outputs()) {
      if (value == 0 || value >= graph_.size())
        return Wrong(fmt::format("output {}: value {} does not exist", Quote(name), value));
      if (!names.insert(name).second) return Wrong(fmt::format("two outputs have the name {}", Quote(name)));
    }
    return absl::OkStatus();
  }

  absl::Status CheckUpdates() const {
    std::unordered_set<NodeId> updated;
    for (const auto& [state, value] : graph_.updates()) {
      if (state == 0 || state >= graph_.size() || graph_[state].op != Op::kState) {
        return Wrong(fmt::format("an update of value {}, which is no state", state));
      }
      const std::string name = Quote(graph_[state].attributes.String("name"));
      if (value == 0 || value >= graph_.size())
        return Wrong(fmt::format("update of {}: value {} does not exist", name, value));
      if (graph_[state].type != graph_[value].type) {
        return Wrong(fmt::format("update of {}: expected {}, found {}", name, ToString(graph_[state].type),
                                 PrintNode(graph_, value)));
      }
      if (!updated.insert(state).second) return Wrong(fmt::format("{} is updated twice", name));
      if (depth_ > 0) return Wrong("a region updates no states");
    }
    return absl::OkStatus();
  }

  const Graph& graph_;
  const Stage stage_;
  const int depth_;
  std::unordered_set<std::string> inputs_, states_;
};

}  // namespace

absl::Status Verify(const Graph& graph, Stage stage) { return Verifier(graph, stage, 0).Run(); }

}  // namespace fusebox
