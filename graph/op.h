// SPDX-License-Identifier: Apache-2.0
// The primitive ops, described once as data. Each family has its table in graph/ops/<family>.cc; passes ask an entry for
// its kind and traits, never for a list of ops.
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "absl/status/statusor.h"
#include "fusebox/graph/type.h"
#include "fusebox/graph/value.h"

namespace fusebox {

class AttributeMap;
struct Node;

enum class Op : uint8_t {
  kError,
  // sources
  kInput,
  kRows,
  kState,
  kConstant,
  kExtent,
  kIota,
  // elementwise
  kAdd,
  kSubtract,
  kMultiply,
  kDivide,
  kMax,
  kMin,
  kEqual,
  kLess,
  kLessEqual,
  kAnd,
  kOr,
  kNot,
  kSelect,
  kNegate,
  kAbs,
  kSign,
  kExp,
  kLog,
  kSqrt,
  kTanh,
  kSigmoid,
  kFloor,
  kErf,
  kErfInv,
  kExpm1,
  kSoftplus,
  kCast,
  kStopGradient,
  kCopy,
  // reductions
  kSum,
  kReduceMax,
  kArgMax,
  // matrix products
  kMatMul,
  // movement
  kReshape,
  kBroadcast,
  kTranspose,
  kSlice,
  kPad,
  kConcatenate,
  // gather and scatter
  kGather,
  kScatterAdd,
  // random
  kRandomUniform,
  // control and derivatives
  kCall,
  kCond,
  kScan,
  kWhile,
  kResult,
  kGradient,
  kCount,
};

enum class OpKind : uint8_t {
  kSource,       // No tensor inputs that it computes on: inputs, states, constants, indices, rows of a data set.
  kElementwise,  // Output element i needs element i of each input (broadcast as in NumPy), and nothing else.
  kReduce,       // Folds whole axes.
  kMatMul,
  kMovement,    // Copies elements: out[i] = in[f(i)], or zero.
  kGather,      // Copies elements that an index tensor picks, or adds them up there.
  kRandom,      // Element i depends on i, the seed and the step, so it can be computed again anywhere.
  kControl,     // Owns regions, or is a result of a node that does: see control.h.
  kDerivative,  // Stands for symbols that the differentiate step writes.
};

struct AttributeSpec {
  const char* name = nullptr;
  uint32_t type = 0;  // FB_INT, ...
  bool required = true;
};

// What a shape rule looks at.
struct InferContext {
  std::span<const Type> inputs;
  const AttributeMap& attributes;
  const Type* stated = nullptr;  // What the node says its type is, for ops from which it doesn't follow.
};
// What a gradient rule looks at: the node's inputs and output as values of the graph to write into, and d loss / d output.
struct VjpContext {
  const Node& node;
  Values inputs;
  Value output, dy;
};

struct OpInfo {
  Op op = Op::kError;
  const char* name = "";
  OpKind kind = OpKind::kSource;
  int arity = 0;    // -1: one or more.
  int regions = 0;  // How many it owns.
  AttributeSpec attributes[8] = {};
  absl::StatusOr<Type> (*infer)(const InferContext&) = nullptr;
  // One value for each input; an error value (id 0, no message) where no gradient flows. nullptr: none flows at all.
  Values (*vjp)(const VjpContext&) = nullptr;
  bool commutative = false;
  bool states_type = false;  // Nothing infers its type: inputs, states, constants, calls.
  bool single_step = false;  // One instruction an element: no more than loading a stored result would cost.
  const char* meaning = "";  // NaN, empty tensors, ties, overflow.
};

const OpInfo& Info(Op op);
std::optional<Op> OpFromName(std::string_view name);
// Checks arity, attributes' names and types, and gives the output's type. The message names the op, expected and got.
absl::StatusOr<Type> InferType(Op op, const InferContext& context);

// The tables, one a family (graph/ops/<family>.cc).
std::span<const OpInfo> SourceOps();
std::span<const OpInfo> ElementwiseOps();
std::span<const OpInfo> ReduceOps();
std::span<const OpInfo> MatMulOps();
std::span<const OpInfo> MovementOps();
std::span<const OpInfo> GatherOps();
std::span<const OpInfo> RandomOps();
std::span<const OpInfo> ControlOps();

}  // namespace fusebox
