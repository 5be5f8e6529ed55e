// SPDX-License-Identifier: Apache-2.0
// The next step's rows, asked for ahead.
#include <cstddef>

#include "fusebox/compiler/codegen/kernels.h"

namespace fusebox::codegen {
namespace {

constexpr int64_t kLine = 64;               // Bytes.
constexpr int64_t kLeastFlops = 1'000'000;  // Below this a kernel has no time to hide anything in.

double Flops(const KernelContext& c, const Kernel& kernel) {
  for (const NodeId id : kernel.members) {
    const Node& node = c.graph()[id];
    if (node.op != Op::kMatMul) continue;
    const Shape& a = c.graph()[node.inputs[0]].type.shape;
    const int64_t k = Resolve(a[node.attributes.Flag("transpose_a") ? 0 : 1], c.row_capacity);
    return 2 * double(k) * double(NumElements(node.type.shape, c.row_capacity));
  }
  return 0;
}

// The nodes that pick rows by an order that the caller gives.
std::vector<NodeId> RowsByInput(const KernelContext& c) {
  std::vector<NodeId> found;
  for (const Kernel& kernel : c.program.kernels) {
    for (const NodeId id : kernel.members) {
      const Node& node = c.graph()[id];
      if (node.op == Op::kRows && c.graph()[node.inputs[0]].op == Op::kInput) found.push_back(id);
    }
  }
  return found;
}

int64_t PortOfRows(const KernelContext& c, const std::string& name) {
  for (size_t port = 0; port < c.plan.ports.size(); ++port) {
    if (c.plan.ports[port].kind == Port::Kind::kRows && c.plan.ports[port].name == name) return int64_t(port);
  }
  return -1;
}

}  // namespace

bool FetchesNextRows(const KernelContext& c) {
  const double own = Flops(c, c.kernel);
  if (own < kLeastFlops || RowsByInput(c).empty()) return false;
  bool behind = false;
  for (const Kernel& kernel : c.program.kernels) {
    if (&kernel == &c.kernel) {
      behind = true;
    } else if (Flops(c, kernel) > own || (behind && Flops(c, kernel) == own)) {
      return false;
    }
  }
  return true;
}

void EmitFetchNextRows(const KernelContext& c, Value* unit, int64_t units) {
  Ir& ir = c.ir;
  Value* rows =
      ir.b.CreateLoad(ir.i64(), ir.b.CreateConstInBoundsGEP1_64(ir.b.getInt8Ty(), c.run, offsetof(RunContext, rows)));
  Value* next_first = ir.Add(c.first_row, c.batch);
  for (const NodeId id : RowsByInput(c)) {
    const Node& node = c.graph()[id];
    const int64_t row_bytes =
        NumElements({node.type.shape.begin() + 1, node.type.shape.end()}, c.row_capacity) * SizeOf(node.type.dtype);
    const int64_t lines_of_a_row = (row_bytes + kLine - 1) / kLine;
    const int64_t lines = (lines_of_a_row * c.row_capacity + units - 1) / units;
    for (int64_t i = 0; i < lines; ++i) {
      Value* line = ir.MulAdd(unit, lines, ir.I64(i));
      Value* row = ir.b.CreateUDiv(line, ir.I64(lines_of_a_row));
      // Not beyond the last row; nor is there a next step after a partial one.
      Value* inside = ir.b.CreateAnd(ir.b.CreateICmpSLT(row, ir.I64(c.row_capacity)),
                                     ir.b.CreateICmpSLT(ir.Add(next_first, row), rows));
      ir.If(inside, [&] {
        Value* order = PortAddress(c, c.plan.places[node.inputs[0]].port);
        Value* from = ir.b.CreateSExt(ir.LoadLanes(order, DType::kI32, ir.Add(c.batch, row), 1, nullptr), ir.i64());
        Value* offset = ir.Mul(ir.b.CreateURem(line, ir.I64(lines_of_a_row)), ir.I64(kLine));
        Value* data = PortAddress(c, PortOfRows(c, node.attributes.String("name")));
        ir.Prefetch(ir.At(data, DType::kU8, ir.Add(ir.Mul(from, ir.I64(row_bytes)), offset)), /*nearest=*/false);
      });
    }
  }
}

}  // namespace fusebox::codegen
