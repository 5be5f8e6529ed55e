// SPDX-License-Identifier: Apache-2.0
// Compares every op's shape rule, on ranks 0 to 4 with dimensions 0, 1, 3, 17, 64 and N, with rules written
// independently after NumPy, in a style as different from the op tables as possible.
#include <algorithm>
#include <functional>
#include <map>
#include <numeric>
#include <optional>
#include <set>

#include "fusebox/graph/graph.h"
#include "fusebox/graph/op.h"
#include "gtest/gtest.h"
#include "tests/support/attributes.h"
#include "tests/support/elementwise.h"

namespace fusebox::testing {
namespace {

constexpr int64_t kN = -1;
using MaybeType = std::optional<Type>;
using Types = std::vector<Type>;
using Rule = std::function<MaybeType(const Types&, const AttributeMap&)>;

// Few dimensions at the higher ranks, to limit the number of shapes.
std::vector<Shape> Shapes(size_t rank) {
  static const std::vector<std::vector<int64_t>> kDims = {
      {}, {0, 1, 3, 17, 64, kN}, {0, 1, 3, 17, 64, kN}, {0, 1, 3, kN}, {1, 3, kN}};
  std::vector<Shape> all = {{}};
  for (size_t axis = 0; axis < rank; ++axis) {
    std::vector<Shape> longer;
    for (const Shape& shape : all) {
      for (const int64_t d : kDims[rank]) {
        longer.push_back(shape);
        longer.back().push_back(d);
      }
    }
    all = longer;
  }
  // No value has N twice.
  std::erase_if(all, [](const Shape& shape) { return std::ranges::count(shape, kN) > 1; });
  return all;
}
std::vector<Shape> AllShapes() {
  std::vector<Shape> all;
  for (size_t rank = 0; rank <= 4; ++rank) {
    for (Shape& shape : Shapes(rank)) all.push_back(shape);
  }
  return all;
}
constexpr DType kDTypes[] = {DType::kF32, DType::kF64, DType::kI32, DType::kI64, DType::kU8, DType::kBool};
bool IsReal(DType d) { return d == DType::kF32 || d == DType::kF64; }

std::set<Op>& Covered() {
  static std::set<Op> covered;
  return covered;
}

std::string Show(Op op, const Types& inputs, const AttributeMap& attributes) {
  std::string text = Info(op).name;
  for (const Type& t : inputs) text += " " + ToString(t);
  for (const auto& [name, value] : attributes) {
    text += " " + name + "=";
    if (const auto* i = std::get_if<int64_t>(&value)) text += std::to_string(*i);
    if (const auto* f = std::get_if<bool>(&value)) text += *f ? "true" : "false";
    if (const auto* l = std::get_if<Ints>(&value)) text += ToString(Shape(l->begin(), l->end()));
  }
  return text;
}

void Expect(Op op, const Types& inputs, const AttributeMap& attributes, const MaybeType& want) {
  Covered().insert(op);
  const absl::StatusOr<Type> got = InferType(op, {inputs, attributes, nullptr});
  ASSERT_EQ(got.ok(), want.has_value()) << Show(op, inputs, attributes) << ": "
                                        << (got.ok() ? ToString(*got) : std::string(got.status().message()));
  if (want) {
    ASSERT_EQ(*got, *want) << Show(op, inputs, attributes);
  } else {
    ASSERT_TRUE(std::string(got.status().message()).starts_with(std::string(Info(op).name) + ": "))
        << got.status().message();
  }
}

// NumPy's broadcasting rule, read from the right: a missing axis has size 1, and size 1 broadcasts.
std::optional<Shape> Together(const Shape& a, const Shape& b) {
  Shape out;
  for (size_t from_right = 1; from_right <= std::max(a.size(), b.size()); ++from_right) {
    const int64_t x = from_right <= a.size() ? a[a.size() - from_right] : 1;
    const int64_t y = from_right <= b.size() ? b[b.size() - from_right] : 1;
    if (x != y && x != 1 && y != 1) return std::nullopt;
    out.insert(out.begin(), x == 1 ? y : x);
  }
  return out;
}

// ---- Elementwise: accepted dtypes, and results.

struct ElementwiseRule {
  std::function<bool(DType)> takes;
  std::optional<DType> gives;  // Otherwise the operands' own.
};
const std::map<std::string_view, ElementwiseRule>& KnownRules() {
  static const auto number = [](DType d) { return d != DType::kBool; };
  static const auto boolean = [](DType d) { return d == DType::kBool; };
  static const auto any = [](DType) { return true; };
  static const std::map<std::string_view, ElementwiseRule> kRules = {{"not", {boolean, {}}},
                                                                     {"negate", {number, {}}},
                                                                     {"abs", {number, {}}},
                                                                     {"sign", {number, {}}},
                                                                     {"exp", {IsReal, {}}},
                                                                     {"log", {IsReal, {}}},
                                                                     {"sqrt", {IsReal, {}}},
                                                                     {"tanh", {IsReal, {}}},
                                                                     {"sigmoid", {IsReal, {}}},
                                                                     {"floor", {IsReal, {}}},
                                                                     {"erfinv", {IsReal, {}}},
                                                                     {"erf", {IsReal, {}}},
                                                                     {"expm1", {IsReal, {}}},
                                                                     {"softplus", {IsReal, {}}},
                                                                     {"stop_gradient", {any, {}}},
                                                                     {"copy", {any, {}}},
                                                                     {"add", {number, {}}},
                                                                     {"subtract", {number, {}}},
                                                                     {"multiply", {number, {}}},
                                                                     {"divide", {number, {}}},
                                                                     {"max", {number, {}}},
                                                                     {"min", {number, {}}},
                                                                     {"equal", {any, DType::kBool}},
                                                                     {"less", {any, DType::kBool}},
                                                                     {"less_equal", {any, DType::kBool}},
                                                                     {"and", {boolean, {}}},
                                                                     {"or", {boolean, {}}}};
  return kRules;
}
// An op that is not among these has to treat all shapes as it does scalars.
ElementwiseRule RuleOf(const OpInfo& op) {
  if (const auto known = KnownRules().find(op.name); known != KnownRules().end()) return known->second;
  const auto of_scalars = [&op](DType dtype) {
    return InferType(op.op, {std::vector<Type>(size_t(op.arity), Type{dtype, {}}), {}});
  };
  ElementwiseRule rule{[of_scalars](DType dtype) { return of_scalars(dtype).ok(); }, {}};
  for (const DType dtype : kDTypes) {
    if (rule.takes(dtype) && of_scalars(dtype)->dtype != dtype) rule.gives = of_scalars(dtype)->dtype;
  }
  return rule;
}

// Elementwise ops of so many operands that take any without attributes, and all of one dtype.
std::vector<const OpInfo*> OpsOfEqualOperands(int arity) {
  std::vector<const OpInfo*> ops = ElementwiseOps();
  std::erase_if(ops, [arity](const OpInfo* op) { return op->arity != arity || op->attributes[0].name != nullptr; });
  return ops;
}

void SweepUnary() {
  for (const OpInfo* op : OpsOfEqualOperands(1)) {
    const ElementwiseRule rule = RuleOf(*op);
    for (const Shape& shape : AllShapes()) {
      for (const DType dtype : kDTypes) {
        const Type in{dtype, shape};
        Expect(op->op, {in}, {}, rule.takes(dtype) ? MaybeType(Type{rule.gives.value_or(dtype), shape}) : std::nullopt);
      }
    }
  }
  for (const Shape& shape : AllShapes()) {
    for (const DType from : kDTypes) {
      for (int64_t to = -1; to <= 8; ++to) {
        const bool known = to >= 1 && to <= 6;
        Expect(Op::kCast, {{from, shape}}, With({{"dtype", to}}),
               known ? MaybeType(Type{DType(to), shape}) : std::nullopt);
      }
    }
  }
}

// Pairs of shapes of ranks 0 to 4: all up to rank 2, and a sample of the rest.
std::vector<std::pair<Shape, Shape>> Pairs() {
  const std::vector<Shape> all = AllShapes();
  std::vector<std::pair<Shape, Shape>> pairs;
  size_t turn = 0;
  for (const Shape& a : all) {
    for (const Shape& b : all) {
      if ((a.size() <= 2 && b.size() <= 2) || ++turn % 7 == 0) pairs.emplace_back(a, b);
    }
  }
  return pairs;
}

void SweepBinary() {
  const auto pairs = Pairs();
  for (const OpInfo* info : OpsOfEqualOperands(2)) {
    const ElementwiseRule rule = RuleOf(*info);
    const Op op = info->op;
    for (const auto& [a, b] : pairs) {
      const auto shape = Together(a, b);
      const DType dtype = rule.takes(DType::kF32) ? DType::kF32 : DType::kBool;
      Expect(op, {{dtype, a}, {dtype, b}}, {},
             shape ? MaybeType(Type{rule.gives.value_or(dtype), *shape}) : std::nullopt);
    }
    for (const DType a : kDTypes) {
      for (const DType b : kDTypes) {
        const bool fine = a == b && rule.takes(a);
        Expect(op, {{a, {3}}, {b, {3}}}, {}, fine ? MaybeType(Type{rule.gives.value_or(a), {3}}) : std::nullopt);
      }
    }
  }
}

void SweepSelect() {
  for (const auto& [a, b] : Pairs()) {
    for (const Shape& c : {Shape{}, Shape{1}, Shape{3}, Shape{kN, 1}, a}) {
      const auto ab = Together(a, b);
      const auto all = ab ? Together(*ab, c) : std::nullopt;
      Expect(Op::kSelect, {{DType::kBool, c}, {DType::kI64, a}, {DType::kI64, b}}, {},
             all ? MaybeType(Type{DType::kI64, *all}) : std::nullopt);
    }
  }
  for (const DType c : kDTypes) {
    for (const DType a : kDTypes) {
      for (const DType b : kDTypes) {
        const bool fine = c == DType::kBool && a == b;
        Expect(Op::kSelect, {{c, {}}, {a, {}}, {b, {}}}, {}, fine ? MaybeType(Type{a, {}}) : std::nullopt);
      }
    }
  }
}

// Each signature of each elementwise op gives the operands' common shape, or an error where they have none.
void SweepSignatures() {
  const std::vector<Shape> shapes = {{}, {1}, {3}, {kN}, {kN, 1}, {3, 1}, {kN, 3}, {17, 1, 3}, {0}};
  for (const OpInfo* op : ElementwiseOps()) {
    const std::vector<Signature> signatures = SignaturesOf(*op);
    ASSERT_FALSE(signatures.empty()) << op->name;
    for (const Signature& signature : signatures) {
      for (size_t turn = 0; turn < shapes.size() * shapes.size(); ++turn) {
        Types operands;
        std::optional<Shape> common = Shape{};
        for (size_t i = 0; i < signature.operands.size(); ++i) {
          const Shape& shape = shapes[(i == 0 ? turn : turn / shapes.size() + i - 1) % shapes.size()];
          operands.push_back({signature.operands[i], shape});
          if (common) common = Together(*common, shape);
        }
        Expect(op->op, operands, signature.attributes,
               common ? MaybeType(Type{signature.result, *common}) : std::nullopt);
      }
    }
  }
}

// ---- Reductions: every set of axes.

void SweepReductions() {
  for (const Op op : {Op::kSum, Op::kReduceMax}) {
    for (const Shape& shape : AllShapes()) {
      for (unsigned set = 0; set < 1u << shape.size(); ++set) {
        for (const bool keep : {false, true}) {
          Ints axes;
          Type want{DType::kF32, {}};
          for (size_t axis = 0; axis < shape.size(); ++axis) {
            const bool reduced = set >> axis & 1;
            if (reduced) axes.push_back(int64_t(axis));
            if (!reduced || keep) want.shape.push_back(reduced ? 1 : shape[axis]);
          }
          Expect(op, {{DType::kF32, shape}}, With({{"axes", axes}, {"keepdims", keep}}), want);
        }
      }
      const int64_t rank = int64_t(shape.size());
      Expect(op, {{DType::kF32, shape}}, With({{"axes", Ints{rank}}}), std::nullopt);
      Expect(op, {{DType::kF32, shape}}, With({{"axes", Ints{-rank - 1}}}), std::nullopt);
      if (rank > 0) Expect(op, {{DType::kF32, shape}}, With({{"axes", Ints{0, 0}}}), std::nullopt);
    }
    for (const DType dtype : kDTypes) {
      Expect(op, {{dtype, {3}}}, With({{"axes", Ints{0}}}),
             dtype != DType::kBool ? MaybeType(Type{dtype, {}}) : std::nullopt);
    }
  }
  for (const Shape& shape : AllShapes()) {
    const int64_t rank = int64_t(shape.size());
    for (int64_t axis = -rank - 1; axis <= rank; ++axis) {
      MaybeType want, indices, extent;
      if (axis >= -rank && axis < rank) {
        const int64_t from_front = (axis + rank) % rank;
        indices = Type{DType::kI32, shape};
        extent = Type{DType::kF64, {}};
        if (shape[size_t(from_front)] != 0) {
          want = Type{DType::kI32, {}};
          for (int64_t i = 0; i < rank; ++i) {
            if (i != from_front) want->shape.push_back(shape[size_t(i)]);
          }
        }
      }
      Expect(Op::kArgMax, {{DType::kF32, shape}}, With({{"axis", axis}}), want);
      Expect(Op::kIota, {{DType::kF64, shape}}, With({{"axis", axis}}), indices);
      Expect(Op::kExtent, {{DType::kF64, shape}}, With({{"axes", Ints{axis}}}), extent);
    }
  }
}

// ---- Matrix products.

void SweepMatMul() {
  std::vector<Shape> shapes = AllShapes();
  std::erase_if(shapes, [](const Shape& shape) { return shape.size() > 3; });
  for (const Shape& a : shapes) {
    for (const Shape& b : shapes) {
      for (const int flags : {0, 1, 2, 3}) {
        const bool ta = flags & 1, tb = flags & 2;
        MaybeType want;
        if (a.size() == 2 && b.size() == 2) {
          Shape x = a, y = b;
          if (ta) std::swap(x[0], x[1]);
          if (tb) std::swap(y[0], y[1]);
          if (x[1] == y[0]) want = Type{DType::kF64, {x[0], y[1]}};
        }
        Expect(Op::kMatMul, {{DType::kF64, a}, {DType::kF64, b}}, With({{"transpose_a", ta}, {"transpose_b", tb}}),
               want);
      }
    }
  }
  for (const DType a : kDTypes) {
    for (const DType b : kDTypes) {
      Expect(Op::kMatMul, {{a, {3, 3}}, {b, {3, 3}}}, {},
             a == b && IsReal(a) ? MaybeType(Type{a, {3, 3}}) : std::nullopt);
    }
  }
}

// ---- Movement.

// Sizes as (number, power of N).
std::pair<int64_t, int> Size(const Shape& shape) {
  std::pair<int64_t, int> size = {1, 0};
  for (const int64_t d : shape) {
    size.first *= d < 0 ? -d : d;
    size.second += d < 0;
  }
  if (size.first == 0) size.second = 0;
  return size;
}

void SweepReshapeAndBroadcast() {
  std::vector<Shape> targets = AllShapes();
  for (const Shape& more :
       {Shape{-3}, Shape{-17}, Shape{-3, 1}, Shape{9}, Shape{51}, Shape{1, 51}, Shape{-64}, Shape(8, 1), Shape(9, 1)}) {
    targets.push_back(more);
  }
  size_t turn = 0;
  for (const Shape& from : AllShapes()) {
    for (const Shape& to : targets) {
      const AttributeMap dims = With({{"dims", Ints(to.begin(), to.end())}});
      const bool fits = Size(from) == Size(to) && to.size() <= FB_MAX_RANK;
      if (!fits && (from.size() > 2 || to.size() > 2) && ++turn % 5 != 0) continue;
      Expect(Op::kReshape, {{DType::kU8, from}}, dims, fits ? MaybeType(Type{DType::kU8, to}) : std::nullopt);
      const auto together = Together(from, to);
      const bool stretches = together && *together == to && to.size() <= FB_MAX_RANK;
      Expect(Op::kBroadcast, {{DType::kU8, from}}, dims, stretches ? MaybeType(Type{DType::kU8, to}) : std::nullopt);
    }
  }
}

void SweepTranspose() {
  for (const Shape& shape : AllShapes()) {
    Ints permutation(shape.size());
    std::iota(permutation.begin(), permutation.end(), 0);
    do {
      Type want{DType::kF32, Shape(shape.size())};
      for (size_t i = 0; i < shape.size(); ++i) want.shape[i] = shape[size_t(permutation[i])];
      Expect(Op::kTranspose, {{DType::kF32, shape}}, With({{"permutation", permutation}}), want);
    } while (std::ranges::next_permutation(permutation).found);
    const auto wrong = [&](Ints p) {
      Expect(Op::kTranspose, {{DType::kF32, shape}}, With({{"permutation", p}}), std::nullopt);
    };
    Ints longer = permutation, repeated = permutation, negative = permutation;
    longer.push_back(int64_t(shape.size()));
    wrong(longer);
    if (shape.empty()) continue;
    negative[0] = -1;
    wrong(negative);
    if (shape.size() > 1) repeated[0] = repeated[1], wrong(repeated);
    permutation.pop_back();
    wrong(permutation);
  }
}

void SweepSliceAndPad() {
  for (const Shape& shape : AllShapes()) {
    const int64_t rank = int64_t(shape.size());
    for (int64_t axis = -rank - 1; axis <= rank; ++axis) {
      const bool exists = axis >= -rank && axis < rank;
      const int64_t d = exists ? shape[size_t((axis + rank) % rank)] : 0;
      for (const int64_t begin : {-1, 0, 1, 3}) {
        for (const int64_t end : {-1, 0, 1, 2, 3, 17, 65}) {
          MaybeType slice, pad;
          if (exists && d >= 0 && 0 <= begin && begin <= end && end <= d) {
            slice = Type{DType::kF32, shape};
            slice->shape[size_t((axis + rank) % rank)] = end - begin;
          }
          if (exists && d >= 0 && begin >= 0 && end >= 0) {
            pad = Type{DType::kF32, shape};
            pad->shape[size_t((axis + rank) % rank)] = d + begin + end;
          }
          Expect(Op::kSlice, {{DType::kF32, shape}}, With({{"axis", axis}, {"begin", begin}, {"end", end}}), slice);
          Expect(Op::kPad, {{DType::kF32, shape}}, With({{"axis", axis}, {"before", begin}, {"after", end}}), pad);
        }
      }
    }
  }
  const int64_t most = std::numeric_limits<int64_t>::max();
  Expect(Op::kPad, {{DType::kF32, {3}}}, With({{"axis", int64_t{0}}, {"before", most}, {"after", int64_t{0}}}),
         std::nullopt);
  Expect(Op::kPad, {{DType::kF32, {3}}}, With({{"axis", int64_t{0}}, {"before", most - 3}, {"after", int64_t{1}}}),
         std::nullopt);
}

void SweepConcatenate() {
  size_t turn = 0;
  for (const auto& [a, b] : Pairs()) {
    const int64_t rank = int64_t(a.size());
    for (int64_t axis = -1; axis <= rank; ++axis) {
      const int64_t from_front = axis < 0 ? axis + rank : axis;
      bool fits = a.size() == b.size() && from_front >= 0 && from_front < rank;
      for (size_t i = 0; fits && i < a.size(); ++i)
        fits = int64_t(i) == from_front ? a[i] >= 0 && b[i] >= 0 : a[i] == b[i];
      if (!fits && ++turn % 3 != 0) continue;
      MaybeType two, three;
      if (fits) {
        two = Type{DType::kF32, a};
        two->shape[size_t(from_front)] += b[size_t(from_front)];
        three = two;
        three->shape[size_t(from_front)] += a[size_t(from_front)];
      }
      Expect(Op::kConcatenate, {{DType::kF32, a}, {DType::kF32, b}}, With({{"axis", axis}}), two);
      Expect(Op::kConcatenate, {{DType::kF32, a}, {DType::kF32, b}, {DType::kF32, a}}, With({{"axis", axis}}), three);
    }
  }
  Expect(Op::kConcatenate, {{DType::kF32, {3}}, {DType::kF64, {3}}}, With({{"axis", int64_t{0}}}), std::nullopt);
  Expect(Op::kConcatenate, {{DType::kF32, {3}}}, With({{"axis", int64_t{0}}}), Type{DType::kF32, {3}});
  Expect(Op::kConcatenate, {}, With({{"axis", int64_t{0}}}), std::nullopt);
}

// ---- Gather, scatter, random numbers, and ops that state their types.

void SweepGather() {
  for (const Shape& table : AllShapes()) {
    for (const Shape& indices : AllShapes()) {
      if (indices.size() > 2) continue;
      MaybeType picked, spread;
      if (indices.size() == 1 && !table.empty()) {
        Shape out = table;
        out[0] = indices[0];
        if (std::ranges::count(out, kN) <= 1) picked = Type{DType::kF32, out};
        out[0] = 5;
        if (table[0] == indices[0]) spread = Type{DType::kF32, out};
      }
      Expect(Op::kGather, {{DType::kF32, table}, {DType::kI32, indices}}, {}, picked);
      Expect(Op::kScatterAdd, {{DType::kI32, indices}, {DType::kF32, table}}, With({{"rows", int64_t{5}}}), spread);
    }
  }
  for (const DType dtype : kDTypes) {
    Expect(Op::kGather, {{dtype, {4}}, {DType::kI32, {3}}}, {}, Type{dtype, {3}});
    Expect(Op::kGather, {{DType::kF32, {4}}, {dtype, {3}}}, {},
           dtype == DType::kI32 ? MaybeType(Type{DType::kF32, {3}}) : std::nullopt);
    Expect(Op::kScatterAdd, {{DType::kI32, {4}}, {dtype, {4}}}, With({{"rows", int64_t{2}}}),
           dtype != DType::kBool ? MaybeType(Type{dtype, {2}}) : std::nullopt);
  }
}

void SweepRandom() {
  const Type scalar{DType::kI64, {}};
  for (const Shape& shape : AllShapes()) {
    for (const DType dtype : kDTypes) {
      const AttributeMap attributes =
          With({{"dims", Ints(shape.begin(), shape.end())}, {"dtype", int64_t(dtype)}, {"stream", int64_t{0}}});
      Expect(Op::kRandomUniform, {scalar, scalar}, attributes,
             IsReal(dtype) ? MaybeType(Type{dtype, shape}) : std::nullopt);
      Expect(Op::kRandomUniform, {scalar, {DType::kI64, {1}}}, attributes, std::nullopt);
      Expect(Op::kRandomUniform, {{DType::kI32, {}}, scalar}, attributes, std::nullopt);
    }
  }
}

void SweepGradient() {
  for (const Shape& shape : AllShapes()) {
    for (const DType dtype : kDTypes) {
      const Type x{dtype, shape};
      Expect(Op::kGradient, {{DType::kF32, {}}, x}, {}, IsReal(dtype) ? MaybeType(x) : std::nullopt);
      Expect(Op::kGradient, {x, {DType::kF32, {3}}}, {},
             IsReal(dtype) && shape.empty() ? MaybeType(Type{DType::kF32, {3}}) : std::nullopt);
    }
  }
}

void SweepStated() {
  const auto with = [](Op op, const Types& inputs, const AttributeMap& attributes, const Type& stated, bool fine) {
    Covered().insert(op);
    const absl::StatusOr<Type> got = InferType(op, {inputs, attributes, &stated});
    ASSERT_EQ(got.ok(), fine) << Show(op, inputs, attributes) << " : " << ToString(stated);
    if (fine) {
      ASSERT_EQ(*got, stated);
    }
    ASSERT_FALSE(InferType(op, {inputs, attributes, nullptr}).ok()) << Info(op).name;
  };
  const AttributeMap name = With({{"name", std::string("x")}}), value = With({{"value", 0.5}});
  const AttributeMap state = With({{"name", std::string("w")}, {"kind", std::string("weight")}});
  for (const Shape& shape : AllShapes()) {
    for (const DType dtype : kDTypes) {
      const Type type{dtype, shape};
      with(Op::kInput, {}, name, type, true);
      with(Op::kState, {}, state, type, true);
      with(Op::kConstant, {}, value, type, shape.empty());
      with(Op::kCall, {type}, {}, type, true);
      with(Op::kCond, {{DType::kBool, {}}, type}, {}, type, true);
      with(Op::kScan, {type}, With({{"carries", int64_t{1}}, {"sequences", int64_t{0}}, {"length", int64_t{3}}}), type,
           true);
      with(Op::kWhile, {type}, With({{"carries", int64_t{1}}}), type, true);
      with(Op::kResult, {type}, With({{"index", int64_t{1}}}), type, true);
      with(Op::kRows, {{DType::kI32, {kN}}}, name, type, !shape.empty() && shape[0] == kN);
      with(Op::kRows, {{DType::kI32, {17}}}, name, type, !shape.empty() && shape[0] == 17);
      with(Op::kRows, {{dtype, shape}}, name, {DType::kF32, {17, 2}}, dtype == DType::kI32 && shape == Shape{17});
    }
  }
}

TEST(ShapeSweep, Unary) { SweepUnary(); }
TEST(ShapeSweep, Binary) { SweepBinary(); }
TEST(ShapeSweep, Select) { SweepSelect(); }
TEST(ShapeSweep, Signatures) { SweepSignatures(); }
TEST(ShapeSweep, Reductions) { SweepReductions(); }
TEST(ShapeSweep, MatMul) { SweepMatMul(); }
TEST(ShapeSweep, ReshapeAndBroadcast) { SweepReshapeAndBroadcast(); }
TEST(ShapeSweep, Transpose) { SweepTranspose(); }
TEST(ShapeSweep, SliceAndPad) { SweepSliceAndPad(); }
TEST(ShapeSweep, Concatenate) { SweepConcatenate(); }
TEST(ShapeSweep, GatherAndScatter) { SweepGather(); }
TEST(ShapeSweep, Random) { SweepRandom(); }
TEST(ShapeSweep, Gradient) { SweepGradient(); }
TEST(ShapeSweep, Stated) { SweepStated(); }

TEST(ShapeSweep, NoOpIsLeftOut) {
  for (const auto sweep :
       {SweepUnary, SweepBinary, SweepSelect, SweepSignatures, SweepReductions, SweepMatMul, SweepReshapeAndBroadcast,
        SweepTranspose, SweepSliceAndPad, SweepConcatenate, SweepGather, SweepRandom, SweepGradient, SweepStated}) {
    sweep();
  }
  for (const OpInfo& op : AllOps()) EXPECT_TRUE(Covered().contains(op.op)) << "no sweep for op " << op.name;
}

}  // namespace
}  // namespace fusebox::testing
