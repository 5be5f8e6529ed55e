// SPDX-License-Identifier: Apache-2.0
#include "fusebox/compiler/fuse/kernel.h"

#include <algorithm>

namespace fusebox {

const char* Name(KernelKind kind) {
  constexpr const char* kNames[] = {"matmul", "rows", "columns", "transpose", "copy", "scatter", "control"};
  return kNames[size_t(kind)];
}

bool Kernel::Has(NodeId id) const { return std::ranges::binary_search(members, id); }
void Kernel::Insert(NodeId id) { members.insert(std::ranges::lower_bound(members, id), id); }

bool IsElement(const Graph& graph, const Kernel& kernel, NodeId id) {
  const Node& node = graph[id];
  return IsIndex(node) || (node.type.shape == kernel.space && node.info().kind != OpKind::kReduce);
}

Shape ReducedSpace(const Kernel& kernel) {
  Shape left = kernel.space;
  left.erase(left.begin() + kernel.outer_rank, left.begin() + kernel.outer_rank + kernel.run_rank);
  return left;
}

NodeId StorageOf(const Graph& graph, NodeId id) {
  while (IsView(graph[id])) id = graph[id].inputs[0];
  return id;
}

int64_t WorkOf(const Node& node) {
  constexpr int64_t kFunction = 16;  // exp, tanh, ... are polynomials.
  return node.info().accuracy == Accuracy::kApproximated && node.info().kind == OpKind::kElementwise ? kFunction : 1;
}

int64_t WorkOf(const Graph& graph, const Kernel& kernel) {
  int64_t work = 0;
  for (const NodeId id : kernel.members) work += WorkOf(graph[id]);
  return work;
}

std::vector<NodeId> DataInputs(const Node& node) {
  if (node.info().reads_shape_only) return {};
  return node.inputs;
}

int64_t DepthOfProduct(const Graph& graph, const Node& matmul) {
  return graph[matmul.inputs[0]].type.shape[matmul.attributes.Flag("transpose_a") ? 0 : 1];
}

std::string NameOf(const FusedProgram& program, const Kernel& kernel) {
  std::string name, scope;
  for (const NodeId id : kernel.members) {
    const Node& node = program.graph[id];
    if (scope.empty()) scope = node.scope;
    if (name.size() > 40) continue;
    name += (name.empty() ? "" : "+") + std::string(node.info().name);
  }
  return scope.empty() ? name : scope + "/" + name;
}

namespace {

void PrintInto(std::string& text, const FusedProgram& program, const std::string& indent) {
  for (size_t k = 0; k < program.kernels.size(); ++k) {
    const Kernel& kernel = program.kernels[k];
    text += fmt::format("{}kernel {} {} {} {{\n", indent, k, Name(kernel.kind), ToString(kernel.space));
    for (const NodeId id : kernel.members) {
      const Node& node = program.graph[id];
      std::string inputs;
      for (const NodeId input : node.inputs) {
        const Node& from = program.graph[input];
        const std::string& name = from.attributes.String("name");
        inputs += inputs.empty() ? " " : ", ";
        inputs += from.op == Op::kConstant ? fmt::format("{}", from.attributes.Float("value"))
                  : !name.empty()          ? "%" + name
                                           : fmt::format("%{}", input);
      }
      const bool stored = std::ranges::find(kernel.stored, id) != kernel.stored.end();
      text += fmt::format("{}  %{} = {}{} : {}{}\n", indent, id, node.info().name, inputs, ToString(node.type),
                          stored ? "  # stored" : "");
      const auto regions = program.regions.find(id);
      if (regions == program.regions.end()) continue;
      for (const FusedProgram& region : regions->second) {
        text += indent + "  {\n";
        PrintInto(text, region, indent + "    ");
        text += indent + "  }\n";
      }
    }
    text += indent + "}\n";
  }
  for (const std::string& line : program.unfused) text += indent + "# unfused " + line + "\n";
}

}  // namespace

std::string Print(const FusedProgram& program) {
  std::string text;
  PrintInto(text, program, "");
  return text;
}

}  // namespace fusebox
