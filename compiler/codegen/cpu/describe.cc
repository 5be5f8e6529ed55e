// SPDX-License-Identifier: Apache-2.0
#include "fusebox/compiler/codegen/cpu/describe.h"

#include <set>

#include "fusebox/compiler/codegen/cpu/kernels.h"
#include "fusebox/graph/regions.h"

namespace fusebox::codegen {
namespace {

// Adds the work of the regions of a branch or loop, each as often as it runs. A while counts as one iteration, as its
// end depends on values.
void AddRegions(KernelReport& report, const FusedProgram& program, const Plan& plan, NodeId id, int64_t row_capacity,
                const Target& target) {
  const auto regions = program.regions.find(id);
  if (regions == program.regions.end()) return;
  const Node& node = program.graph[id];
  const auto times = double(TimesOf(node, row_capacity));
  for (size_t i = 0; i < regions->second.size(); ++i) {
    const Plan& region = plan.controls.at(id).regions[i];
    for (const KernelReport& inner : DescribeKernels(regions->second[i], region, row_capacity, target)) {
      report.flops += times * inner.flops;
      report.bytes += times * inner.bytes;
      report.operations.insert(report.operations.end(), inner.operations.begin(), inner.operations.end());
    }
  }
}

}  // namespace

std::vector<KernelReport> DescribeKernels(const FusedProgram& program, const Plan& plan, int64_t row_capacity,
                                          const Target& target) {
  llvm::LLVMContext context;
  llvm::Module module("report", context);
  Ir ir(module);
  std::vector<KernelReport> reports;
  const auto bytes_of = [&](NodeId id) {
    const Type& type = program.graph[id].type;
    return double(NumElements(type.shape, row_capacity) * SizeOf(type.dtype));
  };
  for (const Kernel& kernel : program.kernels) {
    KernelReport report;
    report.name = NameOf(program, kernel);
    report.kind = Name(kernel.kind);
    report.shape = ToString(kernel.space);
    std::set<NodeId> read;
    for (const NodeId id : kernel.members) {
      const Node& node = program.graph[id];
      report.operations.push_back(node.info().name);
      if (kernel.kind == KernelKind::kControl) {
        AddRegions(report, program, plan, id, row_capacity, target);
        continue;
      }
      const auto elements = double(NumElements(node.type.shape, row_capacity));
      if (node.info().kind == OpKind::kMatMul) {
        report.flops += 2 * elements * double(Resolve(DepthOfProduct(program.graph, node), row_capacity));
        const KernelContext c = {.ir = ir,
                                 .program = program,
                                 .kernel = kernel,
                                 .plan = plan,
                                 .row_capacity = row_capacity,
                                 .target = target};
        report.tile = MatMulTile(c);
        report.product = plan.products.at(id);
      } else if (node.info().kind == OpKind::kElementwise) {
        report.flops += elements;
      } else if (node.info().kind == OpKind::kReduce) {
        report.flops += double(NumElements(program.graph[node.inputs[0]].type.shape, row_capacity));
      }
      if (node.info().binding == Binding::kDataSet) report.bytes += bytes_of(id);
      for (const NodeId input : DataInputs(node)) {
        const NodeId storage = StorageOf(program.graph, input);
        const bool in_memory = plan.places[storage].kind != fusebox::Place::Kind::kNone;
        if (!kernel.Has(storage) && in_memory && read.insert(storage).second) report.bytes += bytes_of(storage);
      }
    }
    if (kernel.kind != KernelKind::kControl) {
      for (const NodeId id : kernel.stored) report.bytes += bytes_of(id);
    }
    reports.push_back(std::move(report));
  }
  return reports;
}

}  // namespace fusebox::codegen
