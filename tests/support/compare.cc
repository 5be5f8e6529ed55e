// SPDX-License-Identifier: Apache-2.0
#include "tests/support/compare.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "fmt/format.h"
#include "fusebox/graph/text.h"
#include "tests/support/random_graph.h"

namespace fusebox::testing {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

double Unit(DType dtype) { return dtype == DType::kF32 ? 0x1p-24 : dtype == DType::kF64 ? 0x1p-53 : 0; }
double Greatest(DType dtype) {
  return dtype == DType::kF32 ? std::numeric_limits<float>::max() : std::numeric_limits<double>::max();
}
// The smallest number above 0, for results that underflow.
double Tiny(DType dtype) { return dtype == DType::kF32 ? 0x1p-149 : dtype == DType::kF64 ? 0x1p-1074 : 0; }

Literal Doubles(const Sizes& shape, const std::vector<double>& values) {
  return Literal::FromDoubles(DType::kF64, shape, values);
}

class Bounder {
 public:
  Bounder(const Graph& graph, int64_t batch) : graph_(graph), batch_(batch) {}

  std::vector<double> Errors(NodeId id, const std::vector<Bounded>& all) {
    const Node& node = graph_[id];
    std::vector<const Bounded*> inputs;
    bool exact = true;
    for (const NodeId input : node.inputs) {
      inputs.push_back(&all[input]);
      exact &= std::ranges::all_of(all[input].error, [](double e) { return e == 0; });
    }
    const Literal& value = all[id].value;
    const size_t size = size_t(value.size());
    switch (node.info().kind) {
      case OpKind::kSource:
      case OpKind::kRandom:
        return std::vector<double>(size, exact || node.op == Op::kIota || node.op == Op::kExtent ? 0 : kInfinity);
      case OpKind::kMovement:
        return OnErrors(node, inputs);
      case OpKind::kGather:
        return GatherErrors(node, inputs, value);
      case OpKind::kMatMul:
        return MatMulErrors(node, inputs);
      case OpKind::kReduce:
        if (exact && !IsFloat(value.dtype())) return std::vector<double>(size);
        return ReduceErrors(node, inputs, value);
      case OpKind::kElementwise:
        if (exact && !IsFloat(value.dtype())) return std::vector<double>(size);
        return ElementwiseErrors(node, inputs, value);
      default:
        return std::vector<double>(size, kInfinity);
    }
  }

 private:
  // Applies the node's function to other operands, in f64.
  std::vector<double> Apply(const Node& node, const std::vector<Literal>& operands) const {
    Node wide = node;
    if (IsFloat(node.type.dtype) || node.info().kind == OpKind::kMovement || node.info().kind == OpKind::kGather) {
      wide.type.dtype = DType::kF64;
    }
    std::vector<const Literal*> pointers;
    for (const Literal& operand : operands) pointers.push_back(&operand);
    const absl::StatusOr<Literal> result = EvaluateNode(wide, pointers, batch_);
    return result.ok() ? result->ToDoubles() : std::vector<double>();
  }

  std::vector<double> OnErrors(const Node& node, const std::vector<const Bounded*>& inputs) const {
    std::vector<Literal> errors;
    for (const Bounded* in : inputs) errors.push_back(Doubles(in->value.shape(), in->error));
    return Apply(node, errors);
  }

  std::vector<double> MatMulErrors(const Node& node, const std::vector<const Bounded*>& inputs) const {
    const Literal &a = inputs[0]->value, &b = inputs[1]->value;
    std::vector<double> x = a.ToDoubles(), y = b.ToDoubles(), dx = inputs[0]->error, dy = inputs[1]->error;
    // |(a+da)(b+db) - ab| <= |a| db + da (|b| + db); the rounding is in proportion to (|a|+da)(|b|+db).
    std::vector<double> ax = x, ay = y, wx = x, wy = y;
    for (size_t i = 0; i < x.size(); ++i) ax[i] = std::abs(x[i]), wx[i] = ax[i] + dx[i];
    for (size_t i = 0; i < y.size(); ++i) ay[i] = std::abs(y[i]), wy[i] = ay[i] + dy[i];
    const auto product = [&](const std::vector<double>& p, const std::vector<double>& q) {
      return Apply(node, {Doubles(a.shape(), p), Doubles(b.shape(), q)});
    };
    std::vector<double> e = product(ax, dy);
    const std::vector<double> e2 = product(dx, wy), terms = product(wx, wy);
    const double k = double(a.shape()[node.attributes.Flag("transpose_a") ? 0 : 1]);
    for (size_t i = 0; i < e.size(); ++i)
      e[i] += e2[i] + 4 * (k + 4) * Unit(a.dtype()) * terms[i] + Tiny(a.dtype()) * k;
    return NoNaN(e);
  }

  std::vector<double> SumErrors(const Node& node, const Literal& terms, const std::vector<double>& error, double k,
                                const Literal* indices) const {
    std::vector<double> wide = terms.ToDoubles();
    for (size_t i = 0; i < wide.size(); ++i) wide[i] = std::abs(wide[i]) + error[i];
    const auto sum = [&](const std::vector<double>& of) {
      std::vector<Literal> operands;
      if (indices != nullptr) operands.push_back(*indices);
      operands.push_back(Doubles(terms.shape(), of));
      Node real = node;
      real.type.dtype = DType::kF64;
      return Apply(real, operands);
    };
    std::vector<double> e = sum(error);
    const std::vector<double> total = sum(wide);
    for (size_t i = 0; i < e.size(); ++i) {
      if (!IsFloat(terms.dtype())) {
        e[i] = e[i] == 0 ? 0 : kInfinity;
      } else {
        // A finite sum of large terms overflows in some orders of summation and not in others.
        e[i] = total[i] > Greatest(terms.dtype()) ? kInfinity : e[i] + 4 * (k + 4) * Unit(terms.dtype()) * total[i];
      }
    }
    return NoNaN(e);
  }

  std::vector<double> GatherErrors(const Node& node, const std::vector<const Bounded*>& inputs,
                                   const Literal& value) const {
    const std::vector<double>& index_error = inputs[node.op == Op::kGather ? 1 : 0]->error;
    if (std::ranges::any_of(index_error, [](double e) { return e != 0; })) {
      return std::vector<double>(size_t(value.size()), kInfinity);
    }
    if (node.op == Op::kGather) {
      return Apply(node, {Doubles(inputs[0]->value.shape(), inputs[0]->error), inputs[1]->value});
    }
    return SumErrors(node, inputs[1]->value, inputs[1]->error, double(index_error.size()), &inputs[0]->value);
  }

  std::vector<double> ReduceErrors(const Node& node, const std::vector<const Bounded*>& inputs,
                                   const Literal& value) const {
    const Bounded& in = *inputs[0];
    if (node.op == Op::kArgMax) return ArgMaxErrors(node, in, value);
    if (node.op == Op::kSum) {
      return SumErrors(node, in.value, in.error, double(in.value.size()) / double(std::max<int64_t>(value.size(), 1)),
                       nullptr);
    }
    Node real = node;
    real.type.dtype = DType::kF64;
    std::vector<double> e = Apply(real, {Doubles(in.value.shape(), in.error)});
    for (double& x : e) x = std::max(x, 0.0);  // -inf of nothing.
    return e;
  }

  // Any index is right whose element might be the maximum.
  static std::vector<double> ArgMaxErrors(const Node& node, const Bounded& in, const Literal& value) {
    const size_t axis = size_t(node.attributes.Int("axis"));
    size_t inner = 1;
    for (size_t i = axis + 1; i < in.value.shape().size(); ++i) inner *= size_t(in.value.shape()[i]);
    const size_t size = size_t(in.value.shape()[axis]);
    const std::vector<double> x = in.value.ToDoubles(), index = value.ToDoubles();
    std::vector<double> e(index.size());
    for (size_t o = 0; o < e.size(); ++o) {
      const size_t base = o / inner * inner * size + o % inner;
      const size_t top = base + size_t(index[o]) * inner;
      for (size_t i = 0; i < size; ++i) {
        const size_t at = base + i * inner;
        const double room = in.error[at] + in.error[top];
        if (room > 0 && !(x[at] + room < x[top])) e[o] = std::max(e[o], std::abs(double(i) - index[o]));
      }
    }
    return e;
  }

  std::vector<double> ElementwiseErrors(const Node& node, const std::vector<const Bounded*>& inputs,
                                        const Literal& value) const {
    const std::vector<double> v = value.ToDoubles();
    // Operands and their errors, broadcast to the output's shape.
    std::vector<std::vector<double>> x, e;
    for (const Bounded* in : inputs) {
      Node stretch{.op = Op::kBroadcast,
                   .type = {DType::kF64, node.type.shape},
                   .inputs = {},
                   .attributes = {},
                   .regions = {},
                   .scope = "",
                   .source = ""};
      x.push_back(Apply(stretch, {Doubles(in->value.shape(), in->value.ToDoubles())}));
      e.push_back(Apply(stretch, {Doubles(in->value.shape(), in->error)}));
    }
    std::vector<double> out(v.size());
    if (node.op == Op::kSelect) {
      for (size_t i = 0; i < out.size(); ++i) {
        out[i] = x[0][i] != 0 ? e[1][i] : e[2][i];
        if (e[0][i] != 0) out[i] = std::abs(x[1][i] - x[2][i]) + e[1][i] + e[2][i];
      }
      return NoNaN(out);
    }
    if (node.op == Op::kStopGradient || node.op == Op::kCopy) return e[0];
    const bool reals = IsFloat(inputs[0]->value.dtype());
    if (!reals && inputs[0]->value.dtype() != DType::kBool) {
      for (size_t i = 0; i < out.size(); ++i) {
        for (const auto& ei : e) out[i] = ei[i] != 0 ? kInfinity : out[i];
        if (IsFloat(value.dtype())) out[i] += 4 * Unit(value.dtype()) * std::abs(v[i]);
      }
      return out;
    }
    if (!reals) {  // Bools that may be either.
      for (size_t i = 0; i < out.size(); ++i) {
        for (const auto& ei : e) out[i] = std::max(out[i], std::min(ei[i], 1.0));
      }
      return out;
    }
    const Sizes& shape = value.shape();
    const auto at_corner = [&](unsigned corner) {
      std::vector<Literal> operands;
      for (size_t k = 0; k < x.size(); ++k) {
        std::vector<double> moved = x[k];
        for (size_t i = 0; i < moved.size() && corner != 0; ++i) {
          if (e[k][i] != 0) moved[i] += (corner - 1) >> k & 1 ? e[k][i] : -e[k][i];
        }
        operands.push_back(Doubles(shape, moved));
      }
      return Apply(node, operands);
    };
    const std::vector<double> center = at_corner(0);
    const double rounding = (node.info().accuracy == Accuracy::kApproximated ? 16 : 4) * Unit(value.dtype());
    std::vector<double> greatest(center.size());
    for (size_t i = 0; i < center.size(); ++i) greatest[i] = std::abs(center[i]);
    for (unsigned corner = 1; corner <= 1u << x.size(); ++corner) {
      const std::vector<double> moved = at_corner(corner);
      for (size_t i = 0; i < out.size(); ++i) {
        const bool same = moved[i] == center[i] || (std::isnan(moved[i]) && std::isnan(center[i]));
        const double change = same ? 0 : std::abs(moved[i] - center[i]);
        out[i] = std::max(out[i], std::isnan(change) ? kInfinity : change);
        greatest[i] = std::max(greatest[i], std::abs(moved[i]));
      }
    }
    const bool is_equal = std::string_view(node.info().name) == "equal";
    for (size_t i = 0; i < out.size(); ++i) {
      double room = 0;
      for (const auto& ei : e) room += ei[i];
      if (is_equal && room > 0 && std::abs(x[0][i] - x[1][i]) <= room) out[i] = 1;
      if (node.op == Op::kDivide && e[1][i] > 0 && std::abs(x[1][i]) <= e[1][i]) out[i] = kInfinity;
      if (!IsFloat(value.dtype()) || !std::isfinite(greatest[i])) continue;
      const bool copies = node.info().accuracy == Accuracy::kExact;
      if (!copies) out[i] += rounding * greatest[i] + Tiny(value.dtype());
      if (value.dtype() == DType::kF32 && greatest[i] + out[i] > double(std::numeric_limits<float>::max()))
        out[i] = kInfinity;
    }
    return out;
  }

  static std::vector<double> NoNaN(std::vector<double> e) {
    for (double& x : e) {
      if (std::isnan(x)) x = kInfinity;
    }
    return e;
  }

  const Graph& graph_;
  const int64_t batch_;
};

std::string At(const Sizes& shape, int64_t linear) {
  Sizes index(shape.size());
  for (size_t axis = shape.size(); axis-- > 0; linear /= shape[axis]) index[axis] = linear % shape[axis];
  return fmt::format("[{}]", fmt::join(index, ","));
}

void CompareOne(const std::string& what, const Bounded& reference, const std::map<std::string, Literal>& all,
                const std::string& name, Agreement& result) {
  const auto found = all.find(name);
  if (found == all.end()) {
    if (result.mismatch.empty()) result.mismatch = fmt::format("{} is missing", what);
    return;
  }
  const Literal& got = found->second;
  if (got.dtype() != reference.value.dtype() || got.shape() != reference.value.shape()) {
    if (result.mismatch.empty())
      result.mismatch = fmt::format("{}: expected {}, got {}", what, TypeText(reference.value), TypeText(got));
    return;
  }
  const std::vector<double> want = reference.value.ToDoubles(), have = got.ToDoubles();
  for (size_t i = 0; i < want.size(); ++i) {
    const double e = reference.error[i];
    ++result.elements;
    if (e == kInfinity) {
      ++result.unbounded;
      continue;
    }
    const bool same = want[i] == have[i] || (std::isnan(want[i]) && std::isnan(have[i]));
    const double difference = same ? 0 : std::abs(want[i] - have[i]);
    if (difference > 0) result.worst = std::max(result.worst, difference / e);
    if (difference <= e || !result.mismatch.empty()) continue;
    result.mismatch = fmt::format("{} at {} of {}: expected {} +- {}, got {}", what, At(got.shape(), int64_t(i)),
                                  TypeText(got), want[i], e, have[i]);
  }
}

}  // namespace

absl::StatusOr<std::vector<Bounded>> EvaluateWithBounds(const Graph& graph, const Bindings& bindings) {
  absl::StatusOr<std::vector<Literal>> values = EvaluateNodes(graph, bindings);
  if (!values.ok()) return values.status();
  std::vector<Bounded> all(graph.size());
  Bounder bounder(graph, bindings.batch);
  for (NodeId id = 1; id < graph.size(); ++id) {
    if ((*values)[id].dtype() == DType::kError) continue;
    all[id].value = std::move((*values)[id]);
    all[id].error = bounder.Errors(id, all);
  }
  return all;
}

Agreement Compare(const Graph& reference, const Bindings& bindings, const Evaluation& got) {
  Agreement result;
  const absl::StatusOr<std::vector<Bounded>> all = EvaluateWithBounds(reference, bindings);
  if (!all.ok()) {
    result.mismatch = std::string(all.status().message());
    return result;
  }
  for (const auto& [name, value] : reference.outputs()) {
    CompareOne(fmt::format("output '{}'", name), (*all)[value], got.outputs, name, result);
  }
  for (const auto& [state, value] : reference.updates()) {
    const std::string& name = reference[state].attributes.String("name");
    CompareOne(fmt::format("state '{}'", name), (*all)[value], got.states, name, result);
  }
  return result;
}

void ExpectSameValues(const Graph& before, const Graph& after) {
  for (const int64_t batch : {1, 3, 17}) {
    const Bindings bindings = RandomBindings(before, uint64_t(batch), batch);
    const absl::StatusOr<Evaluation> got = Evaluate(after, bindings);
    ASSERT_TRUE(got.ok()) << got.status().message() << "\n" << Print(after);
    const Agreement agreement = Compare(before, bindings, *got);
    EXPECT_EQ(agreement.mismatch, "") << "N = " << batch << "\nbefore\n" << Print(before) << "after\n" << Print(after);
    EXPECT_LE(agreement.unbounded * 2, agreement.elements) << "too few elements could be compared";
  }
}

}  // namespace fusebox::testing
