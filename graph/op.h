// SPDX-License-Identifier: Apache-2.0
// The primitive ops, described once as data: an OpInfo says all that is known about one; graph/ops/ has the entries.
// Passes, fusion, the plan and code generation ask an entry for its kind and traits, and keep no lists of ops.
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "fusebox/graph/attributes.h"
#include "fusebox/graph/type.h"
#include "fusebox/graph/value.h"

namespace fusebox {

class Literal;
struct Node;

// Numbers the ops. Only an op that code asks for by name has an enumerator: rules of algebra, loop nests,
// differentiation of control. Other ops are known by their entries alone; the tables' order numbers them from
// kFirstUnnamed on. Numbers never leave the process: files and plugins know an op by its entry's name.
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
  kNegate,
  kNot,
  kSelect,
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
  kFirstUnnamed,
};

// What passes ask of an op.
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

// ---- Traits.

// What an element of the output is computed from. Fusion, the plan and code generation choose loops by it.
enum class Access : uint8_t {
  kSamePoint,   // The same element of each input, which is repeated along axes that it lacks or has with size 1.
  kIndex,       // The element's index and single numbers: known at any point of any loop.
  kElsewhere,   // Other elements of its inputs, so these have to lie in memory; computed element by element still.
  kLoopNest,    // Many elements, or pieces of several inputs: takes a loop nest of its own.
  kSameMemory,  // None: the output is the input's memory under another shape.
  kNone,        // None: it lies in an array of the caller's, or is a number that is known before the loops.
};

// Which array of the caller's a source stands for; its attribute `name` is the array's.
enum class Binding : uint8_t {
  kNone,
  kInput,    // An array for one step.
  kDataSet,  // Rows of an array that holds a whole data set; products can read them where they lie.
  kState,    // An array that keeps its values from step to step.
};

// What it costs to compute an element again, compared with storing and loading it.
enum class Cost : uint8_t {
  kMore,
  kSame,  // One instruction: computed again where its operands lie in memory anyway.
  kLess,  // Computed again in each kernel that needs it.
};

// How compiled code rounds a float result.
enum class Accuracy : uint8_t {
  kExact,         // Not at all: the result is an operand but for its sign, or a whole number.
  kRounded,       // Once, as IEEE arithmetic does.
  kApproximated,  // A few units in the last place off.
  kAnyOrder,      // Once for each term of a sum, whose terms are added in any order.
};

// Where an elementwise op is defined and smooth: the range of its last operand, while others may be any real. Tests
// draw operands from it.
enum class Domain : uint8_t { kReal, kNonZero, kPositive, kInsideOne };

// What an op reads that walks its input along axes: for index (i0, i1, ...) of the output, the input's element whose
// index on axis axes[d] is begins[d] + id.
struct AxisMap {
  std::vector<int64_t> axes, begins;  // One of each for each axis of the output.
};

// An attribute that an op takes.
struct AttributeSpec {
  const char* name = nullptr;  // "axes"
  uint32_t type = 0;           // FB_INT, ...
  bool required = true;        // Else a missing one is zero, or empty.
};

// ---- Rules.

// The arguments of a shape rule.
struct InferContext {
  std::span<const Type> inputs;    // In order.
  const AttributeMap& attributes;  // Of the node.
  const Type* stated = nullptr;    // The type that the node states, for ops whose inputs do not determine it.
};
// The arguments of a gradient rule: the node's inputs and output as values of the graph that is written, and
// d loss / d output.
struct VjpContext {
  // The node and its values.
  const Node& node;
  Values inputs;
  Value output, dy;
};

// The arguments of the reference evaluation: graph/ops/evaluation.h.
struct EvaluateContext;

// The entry of an op: all that is known of it.
struct OpInfo {
  Op op = Op::kError;                // Its enumerator. Leave it out if the op has none: the table then numbers it.
  const char* name = "";             // Never changes: files and plugins know the op by it.
  OpKind kind = OpKind::kSource;     // What passes may do with it.
  int arity = 0;                     // -1: one or more.
  int regions = 0;                   // How many it owns.
  AttributeSpec attributes[8] = {};  // Those that it takes.
  // The output's type. Error: what was expected and got.
  absl::StatusOr<Type> (*infer)(const InferContext&) = nullptr;
  bool states_type = false;  // Its inputs do not determine its type: inputs, states, constants, calls.
  // One value for each input; an error value (id 0, no message) where no gradient flows. nullptr: none flows at all.
  Values (*vjp)(const VjpContext&) = nullptr;
  // The value by plain loops. nullptr for sources that the caller binds, for control ops and for derivatives.
  absl::StatusOr<Literal> (*evaluate)(const EvaluateContext&) = nullptr;
  // Of a control op: all its results.
  absl::StatusOr<std::vector<Literal>> (*evaluate_results)(const EvaluateContext&) = nullptr;

  // Traits.
  Access access = Access::kSamePoint;
  Binding binding = Binding::kNone;
  Cost cost = Cost::kMore;
  Accuracy accuracy = Accuracy::kRounded;
  Domain domain = Domain::kReal;
  AxisMap (*axis_map)(const Node&) = nullptr;  // Of an op that reads its one input along axes.
  bool commutative = false;                    // f(x, y) = f(y, x)
  bool idempotent = false;                     // f(x, x) = x
  bool own_inverse = false;                    // f(f(x)) = x
  bool reads_shape_only = false;               // Depends on its inputs' shapes, not on their elements.
  bool gives_index = false;                    // A reduction that gives where an element lies, not an element.
  const char* meaning = "";                    // NaN, empty tensors, ties, overflow.
  // Of an elementwise op without attributes: operands and values in f64 (bools as 0 and 1), "2, 3 -> 6; 0, inf -> nan".
  const char* examples = "";
};

// The entry of an op.
const OpInfo& Info(Op op);
// All entries, by number: the first one's is 1.
std::span<const OpInfo> AllOps();
// Whether an op has this number.
bool IsOp(Op op);
// nullopt if there is no such op.
std::optional<Op> OpFromName(std::string_view name);
// Checks arity, attributes' names and types, and gives the output's type. The message names the op, expected and got.
absl::StatusOr<Type> InferType(Op op, const InferContext& context);

// The tables: one for each source of graph/ops/ that has entries.
std::span<const OpInfo> SourceOps();
std::span<const OpInfo> ArithmeticOps();
std::span<const OpInfo> LogicOps();
std::span<const OpInfo> FunctionOps();
std::span<const OpInfo> ConversionOps();
std::span<const OpInfo> ReduceOps();
std::span<const OpInfo> MatMulOps();
std::span<const OpInfo> MovementOps();
std::span<const OpInfo> GatherOps();
std::span<const OpInfo> RandomOps();
std::span<const OpInfo> ControlOps();

}  // namespace fusebox
