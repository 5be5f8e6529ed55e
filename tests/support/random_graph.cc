// SPDX-License-Identifier: Apache-2.0
#include "tests/support/random_graph.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "fmt/format.h"
#include "fusebox/graph/builder.h"
#include "fusebox/graph/check.h"
#include "fusebox/graph/text.h"
#include "tests/support/dice.h"
#include "tests/support/elementwise.h"

namespace fusebox::testing {
namespace {

// Bounds on a graph's values.
struct Limits {
  int64_t elements, batch;  // Elements of a value, at most, for this N.
};
constexpr Limits kSmall = {.elements = 6000, .batch = 17}, kLarge = {.elements = 200'000, .batch = 300};
constexpr double kMostMagnitude = 100;
// An elementwise op that would make more than this of its operands gets small ones.
constexpr double kMostBeforeTaming = kMostMagnitude * kMostMagnitude;

class Generator {
 public:
  Generator(uint64_t seed, const RandomGraphOptions& options)
      : dice_(seed), options_(options), limits_(options.large ? kLarge : kSmall) {}

  Graph Run() {
    Fresh(options_.real, SomeShape());
    const size_t wanted = 1 + dice_.Below(size_t(options_.max_nodes));
    for (int tries = 0; builder_.graph().size() <= wanted && tries < 400; ++tries)
      Step(options_.large && dice_.Chance(25) ? Op::kMatMul : AllOps()[dice_.Below(AllOps().size())].op);
    if (options_.train) {
      Train();
    } else {
      for (const NodeId id : Leaves()) builder_.Output(fmt::format("out{}", outputs_++), builder_.Wrap(id));
    }
    Check(builder_.status().ok(), "a random graph that is not valid");
    return std::move(builder_).Take();
  }

 private:
  uint32_t real() const { return uint32_t(options_.real); }

  // ---- Shapes and operands.

  Shape SomeShape() {
    static const std::vector<Shape> kShapes = {{},        {1},     {3},      {5},    {17},    {-1},    {-1, 3},
                                               {-1, 5},   {-1, 1}, {-1, 17}, {3, 5}, {5, 3},  {7, 1},  {-1, 3, 5},
                                               {2, 3, 5}, {33},    {1, 1},   {-3},   {4, 16}, {16, 9}, {-1, 33}};
    Shape shape = options_.large && dice_.Chance(70) ? LargeShape() : dice_.Pick(kShapes);
    for (int64_t& d : shape) {
      if (!options_.symbolic && d < 0) d = -d * 4;
    }
    return shape;
  }

  int64_t Columns() { return int64_t(16 + dice_.Below(185)); }
  Shape LargeShape() {
    if (dice_.Chance(60)) return {-1, Columns()};
    return {int64_t(1 + dice_.Below(300)), Columns()};
  }

  // A new input; or randomly a state, if the shape is fixed.
  Value Fresh(DType dtype, const Shape& shape) {
    const bool fixed = std::ranges::all_of(shape, [](int64_t d) { return d >= 0; });
    Value v;
    if (IsFloat(dtype) && fixed && dice_.Chance(60)) {
      v = builder_.State(fmt::format("w{}", states_++), FB_WEIGHT, {dtype, shape}, "glorot_uniform", true);
    } else if (IsFloat(dtype) && !shape.empty() && shape[0] == -1 && dice_.Chance(20)) {
      if (!order_.ok()) order_ = builder_.Input("order", {DType::kI32, {-1}});
      v = builder_.Rows(fmt::format("data{}", inputs_++), {dtype, shape}, order_);
    } else {
      v = builder_.Input(fmt::format("x{}", inputs_++), {dtype, shape});
    }
    return Keep(v, IsFloat(dtype) ? 2 : 3);
  }

  Value Keep(Value v, double magnitude) {
    if (!v.ok()) return v;
    auto& pool = IsFloat(DType(v.dtype())) ? reals_ : v.dtype() == FB_BOOL ? bools_ : integers_;
    if (std::ranges::find(pool, v.id, &Value::id) == pool.end()) pool.push_back(v);
    magnitude_[v.id] = magnitude;
    return v;
  }
  double Magnitude(const Value& v) { return magnitude_[v.id]; }

  // Later values are more likely, so that graphs grow deep.
  Value Any(std::vector<Value>& pool, DType dtype) {
    if (pool.empty() || dice_.Chance(8)) return Fresh(dtype, SomeShape());
    const size_t i = std::max(dice_.Below(pool.size()), dice_.Below(pool.size()));
    return pool[i];
  }
  Value Real() { return Any(reals_, options_.real); }
  Value Integer() { return Any(integers_, DType::kI32); }
  Value Bool() {
    if (bools_.empty() && dice_.Chance(50)) return Compare();
    return Any(bools_, DType::kBool);
  }
  // A value that broadcasts with `like`: from the pool, or a new one with some axes dropped or of size 1.
  Value Partner(const Value& like, std::vector<Value>& pool, DType dtype) {
    for (int tries = 0; tries < 6 && !pool.empty(); ++tries) {
      const Value v = dice_.Pick(pool);
      if (FitTogether(v, like)) return v;
    }
    const Dims dims = like.dims();
    Shape shape(dims.begin(), dims.end());
    if (!shape.empty() && dice_.Chance(40)) shape.erase(shape.begin());
    for (int64_t& d : shape) {
      if (dice_.Chance(15)) d = 1;
    }
    if (shape.empty() && IsFloat(dtype) && dice_.Chance(70)) {
      return Keep(builder_.Constant(std::round(dice_.Unit() * 300) / 100 + 0.1, dtype), 4);
    }
    return Fresh(dtype, shape);
  }
  // Whether the shapes do, and what comes out is not too large.
  bool FitTogether(const Value& v, const Value& like) {
    return Allowed(Op::kSelect, {Type{DType::kBool, {}}, v, Type{TypeOf(v).dtype, TypeOf(like).shape}}, {});
  }
  Type TypeOf(const Value& v) { return builder_.graph()[v.id].type; }

  // ---- Emitting: skips what the op would refuse, or what would be too large, as the builder's first error sticks.

  struct Operand {
    Operand(Value v) : value(v) {}
    Operand(Type t) : type(std::move(t)) {}
    Value value;
    Type type;
  };
  using Attributes = std::map<std::string, AttributeValue>;

  bool Allowed(Op op, const std::vector<Operand>& operands, const Attributes& attributes) {
    std::vector<Type> types;
    for (const Operand& operand : operands) types.push_back(operand.value.ok() ? TypeOf(operand.value) : operand.type);
    AttributeMap map;
    for (const auto& [name, value] : attributes) map.Set(name, value);
    const absl::StatusOr<Type> type = InferType(op, {types, map});
    if (!type.ok() || !SymbolicProduct(type->shape)) return false;
    int64_t symbolic = 0;
    for (const int64_t d : type->shape) symbolic += d < 0;
    return symbolic <= 1 && NumElements(type->shape, limits_.batch) <= limits_.elements;
  }

  Value Make(Op op, const Values& inputs, const Attributes& attributes = {}) {
    for (const Value& v : inputs) {
      if (!v.ok()) return {};
    }
    if (!Allowed(op, std::vector<Operand>(inputs.begin(), inputs.end()), attributes)) return {};
    Node node{.op = op, .type = {}, .inputs = {}, .attributes = {}, .regions = {}, .scope = "", .source = ""};
    for (const Value& v : inputs) node.inputs.push_back(v.id);
    for (const auto& [name, value] : attributes) node.attributes.Set(name, value);
    return builder_.Wrap(builder_.Emit(std::move(node)));
  }

  // Scales x down if it may have become large.
  Value Tame(Value x, double magnitude) {
    if (!x.ok() || magnitude <= kMostMagnitude) return Keep(x, magnitude);
    return Keep(x * (1 / magnitude), 1);
  }
  Value Within(Value x, double limit) {
    if (Magnitude(x) <= limit) return x;
    return Keep(Tanh(x), 1);
  }

  int64_t AxisOf(const Value& v) { return int64_t(dice_.Below(size_t(v.rank()))); }
  Ints SomeAxes(const Value& v) {
    Ints axes;
    for (int64_t axis = 0; axis < v.rank(); ++axis) {
      if (dice_.Chance(60)) axes.push_back(axis);
    }
    return axes;
  }
  // The number of elements along the axes, for N = 17.
  double Count(const Value& v, const Ints& axes) {
    double count = 1;
    for (const int64_t axis : axes) count *= double(Resolve(v.dim(axis), limits_.batch));
    return count;
  }

  // ---- Families.

  void Step(Op op) {
    const OpInfo& info = Info(op);
    switch (info.kind) {
      case OpKind::kSource:
        return SourceStep(op);
      case OpKind::kElementwise:
        return ElementwiseStep(op);
      case OpKind::kReduce:
        return ReduceStep(op);
      case OpKind::kMatMul:
        return MatMulStep();
      case OpKind::kMovement:
        return MovementStep(op);
      case OpKind::kGather:
        return GatherStep(op);
      case OpKind::kRandom:
        Keep(builder_.Wrap(builder_.Random({options_.real, SomeShape()}, nullptr)), 1);
        return;
      case OpKind::kControl:
      case OpKind::kDerivative:
        return;  // Compiling removes the first before it starts; `train` adds the others.
    }
  }

  void SourceStep(Op op) {
    switch (op) {
      case Op::kConstant:
        Keep(builder_.Constant(std::round(dice_.Unit() * 300) / 100 + 0.1, options_.real), 4);
        return;
      case Op::kExtent: {
        const Value x = Real();
        if (x.rank() > 0) Tame(Make(op, {x}, {{"axes", SomeAxes(x)}}), double(limits_.elements));
        return;
      }
      case Op::kIota: {
        if (!options_.integers) return;
        const Value x = dice_.Chance(50) ? Real() : Integer();
        if (x.rank() > 0) Keep(Make(op, {x}, {{"axis", AxisOf(x)}}), double(limits_.elements));
        return;
      }
      default:
        return;  // Inputs and states are made where they are needed.
    }
  }

  // What an elementwise op takes of the dtypes that graphs have.
  const std::vector<Signature>& Signatures(Op op) {
    const auto [it, is_new] = signatures_.try_emplace(op);
    if (!is_new) return it->second;
    const auto ours = [this](DType d) { return d == options_.real || d == DType::kI32 || d == DType::kBool; };
    for (Signature& signature : SignaturesOf(Info(op))) {
      if (std::ranges::all_of(signature.operands, ours) && ours(signature.result)) it->second.push_back(signature);
    }
    return it->second;
  }

  std::vector<Value>& Pool(DType dtype) { return IsFloat(dtype) ? reals_ : dtype == DType::kBool ? bools_ : integers_; }
  Value Any(DType dtype) { return IsFloat(dtype) ? Real() : dtype == DType::kBool ? Bool() : Integer(); }

  // Operands that broadcast with each other; the first one drawn decides on the shape.
  Values Operands(const Signature& signature) {
    const auto& dtypes = signature.operands;
    size_t lead = dice_.Below(dtypes.size());
    const bool numbers = std::ranges::any_of(dtypes, [](DType dtype) { return dtype != DType::kBool; });
    while (numbers && dtypes[lead] == DType::kBool) lead = (lead + 1) % dtypes.size();
    Values values(dtypes.size());
    values[lead] = Any(dtypes[lead]);
    for (size_t i = 0; i < dtypes.size(); ++i) {
      if (i != lead && values[lead].ok()) values[i] = Partner(values[lead], Pool(dtypes[i]), dtypes[i]);
    }
    return values;
  }

  // A bool from two numbers.
  Value Compare() {
    const DType dtype = dice_.Chance(60) ? options_.real : DType::kI32;
    std::vector<std::pair<Op, Signature>> ops;
    for (const OpInfo* op : ElementwiseOps()) {
      for (const Signature& signature : Signatures(op->op)) {
        if (signature.result != DType::kBool || op->arity != 2 || op->attributes[0].name != nullptr) continue;
        if (signature.operands == std::vector<DType>{dtype, dtype}) ops.emplace_back(op->op, signature);
      }
    }
    const auto& [op, signature] = dice_.Pick(ops);
    return Keep(Make(op, Operands(signature)), 1);
  }

  void IntegerStep(Op op, Values operands) {
    // Now and then in another width, and back.
    const bool other = dice_.Chance(40);
    const DType dtype = dice_.Chance(50) ? DType::kI64 : DType::kU8;
    if (other) {
      for (Value& v : operands) v = Cast(v, uint32_t(dtype));
    }
    const Value y = Make(op, operands);
    if (!y.ok()) {
      if (other) Keep(Cast(operands[0], FB_I32), 100);
      return;
    }
    Keep(other ? Cast(y, FB_I32) : y, 100);
  }

  void RealStep(const OpInfo& op, const Signature& signature, Values operands) {
    const auto magnitudes = [&] {
      std::vector<double> all;
      for (const Value& v : operands) all.push_back(Magnitude(v));
      return all;
    };
    double greatest = GreatestOf(op, signature, magnitudes());
    if (!(greatest <= kMostBeforeTaming)) {
      for (Value& v : operands) {
        if (IsFloat(TypeOf(v).dtype)) v = Within(v, 3);
      }
      greatest = GreatestOf(op, signature, magnitudes());
    }
    Value& last = operands.back();
    const double magnitude = MovedInto(op.domain, Magnitude(last));
    switch (op.domain) {
      case Domain::kReal:
        break;
      case Domain::kNonZero:
        last = Keep(Abs(last) + 0.5, magnitude);
        break;
      case Domain::kPositive:
        last = Keep(Abs(last) + 0.2, magnitude);
        break;
      case Domain::kInsideOne:
        last = Keep(Tanh(last), 1) * 0.9;
        break;
    }
    Tame(Make(op.op, operands, {signature.attributes.begin(), signature.attributes.end()}), std::max(greatest, 1.0));
  }

  void ElementwiseStep(Op op) {
    if (options_.smooth && op == Op::kStopGradient) return;
    if (op == Op::kCast) return CastStep();
    std::vector<Signature> of_reals, others;
    for (const Signature& signature : Signatures(op)) {
      const bool real = signature.result == options_.real && std::ranges::count(signature.operands, options_.real) > 0;
      const bool plain = std::ranges::count(signature.operands, options_.real) == int(signature.operands.size());
      if (!options_.integers && !(real && plain)) continue;
      (real ? of_reals : others).push_back(signature);
    }
    if (of_reals.empty() && others.empty()) return;
    const bool other = of_reals.empty() || (!others.empty() && dice_.Chance(20));
    const Signature signature = dice_.Pick(other ? others : of_reals);
    const Values operands = Operands(signature);
    if (!std::ranges::all_of(operands, &Value::ok)) return;
    const bool integers = std::ranges::count(signature.operands, DType::kI32) == int(signature.operands.size());
    if (!other) return RealStep(Info(op), signature, operands);
    if (integers && signature.result == DType::kI32) return IntegerStep(op, operands);
    Keep(Make(op, operands, {signature.attributes.begin(), signature.attributes.end()}), 100);
  }

  void CastStep() {
    const uint32_t other = real() == FB_F32 ? FB_F64 : FB_F32;
    switch (dice_.Below(options_.integers ? 4 : 1)) {
      case 0: {
        if (options_.smooth) return;
        const Value x = Real();
        Keep(Cast(Cast(x, other), real()), Magnitude(x));
        return;
      }
      case 1: {
        const Value x = Real();
        Keep(Cast(x, FB_I32), Magnitude(x));
        return;
      }
      case 2: {
        const Value x = Bool();
        if (x.ok()) Keep(Cast(x, real()), 1);
        return;
      }
      default: {
        // Small integers: one that has wrapped would be too large as a float.
        const Value x = Integer();
        Keep(Keep(Cast(Cast(x, FB_U8), real()), 255) * 0.05, 13);
        return;
      }
    }
  }

  void ReduceStep(Op op) {
    const Value x = options_.integers && op != Op::kArgMax && dice_.Chance(15) ? Integer() : Real();
    if (op == Op::kArgMax) {
      if (options_.integers && x.rank() > 0) Keep(Make(op, {x}, {{"axis", AxisOf(x)}}), 100);
      return;
    }
    const Ints axes = SomeAxes(x);
    const Value y = Make(op, {x}, {{"axes", axes}, {"keepdims", dice_.Chance(50)}});
    if (!IsFloat(TypeOf(x).dtype)) {
      Keep(y, 100);
    } else {
      Tame(y, op == Op::kSum ? Magnitude(x) * Count(x, axes) : Magnitude(x));
    }
  }

  void MatMulStep() {
    Value a = Real();
    for (int tries = 0; tries < 8 && a.rank() != 2; ++tries) a = dice_.Pick(reals_);
    if (a.rank() != 2) a = Fresh(options_.real, {options_.symbolic ? -1 : 4, 5});
    if (options_.large && dice_.Chance(35)) {
      constexpr int64_t kLongK[] = {129, 300, 700, 1000};
      a = Fresh(options_.real, {dice_.Chance(50) ? -1 : int64_t(1 + dice_.Below(150)), kLongK[dice_.Below(4)]});
    }
    const bool ta = dice_.Chance(30), tb = dice_.Chance(30);
    const Attributes flags = {{"transpose_a", ta}, {"transpose_b", tb}};
    const int64_t k = a.dim(ta ? 0 : 1);
    Value b;
    for (int tries = 0; tries < (options_.large ? 3 : 10); ++tries) {
      const Value v = dice_.Pick(reals_);
      if (Allowed(Op::kMatMul, {a, v}, flags)) b = v;
    }
    if (!b.ok()) {
      constexpr int64_t kWidths[] = {1, 3, 9, 16, 17, 33};
      const int64_t m = options_.large ? Columns() : kWidths[dice_.Below(6)];
      b = Fresh(options_.real, tb ? Shape{m, k} : Shape{k, m});
    }
    Tame(Make(Op::kMatMul, {a, b}, flags), Magnitude(a) * Magnitude(b) * double(Resolve(k, limits_.batch)));
  }

  // Another shape of the same size.
  Ints OtherDims(const Value& x) {
    const Dims dims = x.dims();
    Ints out;
    switch (dice_.Below(3)) {
      case 0: {  // Flat.
        out = {*SymbolicProduct(Shape(dims.begin(), dims.end()))};
        break;
      }
      case 1:  // An additional axis of size 1.
        out = dims;
        out.insert(out.begin() + int64_t(dice_.Below(dims.size() + 1)), 1);
        break;
      default:  // Two axes merged, or one split.
        out = dims;
        if (dims.size() >= 2 && (dims[0] >= 0 || dims[1] >= 0)) {
          out.erase(out.begin());
          out[0] = dims[0] * dims[1];
        } else if (!dims.empty() && dims[0] < -1) {
          out.insert(out.begin(), -1);
          out[1] = -dims[0];
        }
    }
    return out;
  }

  void MovementStep(Op op) {
    const bool integer = options_.integers && dice_.Chance(15);
    const Value x = integer ? Integer() : Real();
    const double magnitude = Magnitude(x);
    if (op == Op::kReshape) {
      Keep(Make(op, {x}, {{"dims", OtherDims(x)}}), magnitude);
      return;
    }
    if (op == Op::kBroadcast) {
      Ints dims = x.dims();
      for (int64_t& d : dims) {
        if (d == 1 && dice_.Chance(70)) d = 3;
      }
      if (dice_.Chance(50)) dims.insert(dims.begin(), dice_.Chance(50) && options_.symbolic ? -1 : 3);
      Keep(Make(op, {x}, {{"dims", dims}}), magnitude);
      return;
    }
    if (x.rank() == 0) return;
    const int64_t axis = AxisOf(x), size = x.dim(axis);
    switch (op) {
      case Op::kTranspose: {
        Ints permutation(size_t(x.rank()));
        std::iota(permutation.begin(), permutation.end(), 0);
        for (size_t i = permutation.size(); i > 1; --i) std::swap(permutation[i - 1], permutation[dice_.Below(i)]);
        Keep(Make(op, {x}, {{"permutation", permutation}}), magnitude);
        return;
      }
      case Op::kSlice: {
        if (size <= 0) return;
        const int64_t begin = int64_t(dice_.Below(size_t(size)));
        const int64_t end = begin + 1 + int64_t(dice_.Below(size_t(size - begin)));
        Keep(Make(op, {x}, {{"axis", axis}, {"begin", begin}, {"end", end}}), magnitude);
        return;
      }
      case Op::kPad:
        Keep(Make(op, {x}, {{"axis", axis}, {"before", int64_t(dice_.Below(3))}, {"after", int64_t(dice_.Below(4))}}),
             magnitude);
        return;
      default: {
        if (size < 0) return;
        Values parts = {x};
        for (size_t more = 1 + dice_.Below(2); more > 0; --more) {
          Dims dims = x.dims();
          dims[size_t(axis)] = 1 + int64_t(dice_.Below(4));
          parts.push_back(dice_.Chance(40) ? x : Fresh(TypeOf(x).dtype, Shape(dims.begin(), dims.end())));
        }
        Keep(Make(op, parts, {{"axis", axis}}), std::max(magnitude, 3.0));
      }
    }
  }

  void GatherStep(Op op) {
    if (!options_.integers) return;
    const Value x = Real();
    if (x.rank() == 0 || (options_.smooth && x.dim(0) >= 0 && x.dim(0) < 3)) return;
    if (op == Op::kGather) {
      Value indices = Indices(0);
      Keep(Make(op, {x, indices}), Magnitude(x));
      return;
    }
    const Value indices = Indices(x.dim(0));
    Tame(Make(op, {indices, x}, {{"rows", int64_t(3 + dice_.Below(3))}}),
         Magnitude(x) * double(Resolve(x.dim(0), limits_.batch)));
  }
  // i32[count]; a count of 0 means any.
  Value Indices(int64_t count) {
    for (int tries = 0; tries < 6 && !integers_.empty() && !options_.smooth; ++tries) {
      const Value v = dice_.Pick(integers_);
      if (v.rank() == 1 && (count == 0 || v.dim(0) == count)) return v;
    }
    if (count == 0) count = options_.symbolic && dice_.Chance(60) ? -1 : 4;
    return Fresh(DType::kI32, {count});
  }

  // ---- Ends.

  std::vector<NodeId> Leaves() {
    const Graph& graph = builder_.graph();
    std::vector<bool> used(graph.size());
    for (NodeId id = 1; id < graph.size(); ++id) {
      for (const NodeId input : graph[id].inputs) used[input] = true;
    }
    std::vector<NodeId> leaves;
    for (NodeId id = 1; id < graph.size(); ++id) {
      if (!used[id]) leaves.push_back(id);
    }
    return leaves;
  }

  void Train() {
    Value loss = builder_.Constant(0, options_.real);
    for (const NodeId id : Leaves()) {
      Value leaf = builder_.Wrap(id);
      if (id == loss.id) continue;
      if (leaf.dtype() != real()) {
        builder_.Output(fmt::format("out{}", outputs_++), leaf);
        continue;
      }
      Dims axes(size_t(leaf.rank()));
      std::iota(axes.begin(), axes.end(), 0);
      if (!axes.empty()) leaf = Mean(Tanh(leaf * 0.3), axes);
      loss = loss + leaf * 0.5;
    }
    builder_.Output("loss", loss);
    const NodeId end = builder_.graph().size();
    for (NodeId id = 1; id < end; ++id) {
      const Op op = builder_.graph()[id].op;
      const Value v = builder_.Wrap(id);
      if (v.dtype() != real()) continue;
      if (op == Op::kState) builder_.Assign(v, v - Gradient(loss, v) * 0.1);
      if (op == Op::kInput) builder_.Output("d_" + builder_.graph()[id].attributes.String("name"), Gradient(loss, v));
    }
  }

  Dice dice_;
  const RandomGraphOptions options_;
  const Limits limits_;
  GraphBuilder builder_;
  std::vector<Value> reals_, integers_, bools_;
  std::map<Op, std::vector<Signature>> signatures_;
  std::map<NodeId, double> magnitude_;  // What no element exceeds, about.
  Value order_;
  int inputs_ = 0, states_ = 0, outputs_ = 0;
};

}  // namespace

Graph RandomGraph(uint64_t seed, const RandomGraphOptions& options) { return Generator(seed, options).Run(); }

void CountOps(const Graph& graph, std::map<Op, int64_t>& counts) {
  for (NodeId id = 1; id < graph.size(); ++id) ++counts[graph[id].op];
}

}  // namespace fusebox::testing
