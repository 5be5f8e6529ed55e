// SPDX-License-Identifier: Apache-2.0
// Operations of keras.ops that fold axes of a sample, and products of matrices.
#include <numeric>

#include "fusebox/plugins/layers/float_input.h"
#include "fusebox/plugins/layers/operation.h"

namespace fusebox {
namespace {

// What a reduction works on. `axes` is empty after an error.
struct Reduction {
  explicit Reduction(const OperationCall& call) : x(call.Operand1()), axes(call.Axes(x).value_or(Dims())) {
    keepdims = call.Flag("keepdims", false);
  }
  bool ok() const { return x.ok() && !axes.empty(); }

  Value x;
  Dims axes;
  bool keepdims = false;
};

// Without the axes, which have size 1.
Value Without(Value x, const Dims& axes) {
  if (!x.ok()) return x;
  Dims dims;
  for (int64_t i = 0; i < x.rank(); ++i) {
    if (std::ranges::find(axes, i) == axes.end()) dims.push_back(x.dim(i));
  }
  return Reshape(x, dims);
}

Value Number(Value x) { return x.ok() && x.dtype() == FB_BOOL ? Cast(x, FB_I32) : x; }

template <Value (*f)(Value x, const Dims& axes, bool keepdims)>
Value Fold(const OperationCall& call) {
  const Reduction r(call);
  return r.ok() ? f(r.x, r.axes, r.keepdims) : Value{};
}

Value Variance(Value x, const Dims& axes, bool keepdims) {
  const Value wide = AsFloat(x);
  return Mean(Square(wide - Mean(wide, axes, true)), axes, keepdims);
}

Value Smallest(Value x, const Dims& axes, bool keepdims) { return -ReduceMax(-x, axes, keepdims); }

Value Average(const OperationCall& call) {
  const nlohmann::json& kwargs = call.call().value("kwargs", nlohmann::json::object());
  if (kwargs.contains("weights") && !kwargs["weights"].is_null()) return call.Error("takes no weights here");
  return Fold<[](Value x, const Dims& axes, bool) { return Mean(AsFloat(x), axes); }>(call);
}

Value Norm(const OperationCall& call) {
  const nlohmann::json& order = call.Setting("ord");
  const bool euclidean = order.is_null() || order == 2 || order == "fro" || order == "euclidean";
  const Reduction r(call);
  if (!r.ok()) return {};
  if (order == 1 && r.axes.size() == 1) return Sum(Abs(r.x), r.axes, r.keepdims);
  if (!euclidean) return call.Error("knows the norms of order 1 and 2, got {}", order.dump(-1));
  return Sqrt(Sum(Square(r.x), r.axes, r.keepdims));
}

Value ArgOf(const OperationCall& call, bool largest) {
  const Value x = call.Operand1();
  const std::optional<Dims> axes = call.Axes(x);
  if (!axes) return {};
  if (axes->size() != 1) return call.Error("expects one axis, got {}", axes->size());
  const Value index = ArgMax(largest ? x : -Number(x), axes->front());
  if (!call.Flag("keepdims", false)) return index;
  Dims dims = x.dims();
  dims[size_t(axes->front())] = 1;
  return Reshape(index, dims);
}

Value LogSumExpOf(Value x, const Dims& axes, bool keepdims) {
  const Value sum = LogSumExp(x, axes);
  return keepdims ? sum : Without(sum, axes);
}

// a [..., n, k] and b [k, m]; or both [N, ..., n, k] and [N, ..., k, m], sample by sample.
Value Product(const OperationCall& call) {
  const Value a = call.Operand1(0, "x1"), b = call.Operand1(1, "x2");
  if (!a.ok() || !b.ok()) return {};
  if (b.rank() == 2 && b.dim(0) > 0) return MatMul(a, b);
  if (a.rank() < 3 || a.rank() != b.rank()) {
    return call.Error("expects [..., n, k] and [k, m], or both with the same leading axes, got {} and {}", a.type(),
                      b.type());
  }
  Dims swapped(size_t(b.rank()));
  std::iota(swapped.begin(), swapped.end(), 0);
  std::swap(swapped[swapped.size() - 1], swapped[swapped.size() - 2]);
  Dims left = a.dims(), right = Transpose(b, swapped).dims();
  left.insert(left.end() - 1, 1);
  right.insert(right.end() - 2, 1);
  return Sum(Reshape(a, left) * Reshape(Transpose(b, swapped), right), {-1});
}

// The axis of softmax and its like.
Value AlongAxis(const OperationCall& call, bool log) {
  const Value x = AsFloat(call.Operand1());
  if (!x.ok()) return x;
  const std::optional<int64_t> axis = call.Axis(call.Int("axis", -1), x.rank());
  if (!axis) return {};
  return log ? x - LogSumExp(x, {*axis}) : Softmax(x, {*axis});
}

constexpr OperationEntry kEntries[] = {
    {"sum", Fold<[](Value x, const Dims& axes, bool keepdims) { return Sum(Number(x), axes, keepdims); }>},
    {"mean", Fold<[](Value x, const Dims& axes, bool keepdims) { return Mean(AsFloat(x), axes, keepdims); }>},
    {"max", Fold<[](Value x, const Dims& axes, bool keepdims) { return ReduceMax(x, axes, keepdims); }>},
    {"amax", Fold<[](Value x, const Dims& axes, bool keepdims) { return ReduceMax(x, axes, keepdims); }>},
    {"min", Fold<Smallest>},
    {"amin", Fold<Smallest>},
    {"var", Fold<Variance>},
    {"std", Fold<[](Value x, const Dims& axes, bool keepdims) { return Sqrt(Variance(x, axes, keepdims)); }>},
    {"any", Fold<[](Value x, const Dims& axes, bool keepdims) {
       return Cast(ReduceMax(Cast(Cast(x, FB_BOOL), FB_F32), axes, keepdims), FB_BOOL);
     }>},
    {"all", Fold<[](Value x, const Dims& axes, bool keepdims) {
       return Cast(Smallest(Cast(Cast(x, FB_BOOL), FB_F32), axes, keepdims), FB_BOOL);
     }>},
    {"count_nonzero", Fold<[](Value x, const Dims& axes, bool) { return Sum(Cast(Cast(x, FB_BOOL), FB_I32), axes); }>},
    {"logsumexp", Fold<LogSumExpOf>},
    {"average", Average},
    {"norm", Norm},
    {"argmax", [](const OperationCall& call) { return ArgOf(call, true); }},
    {"argmin", [](const OperationCall& call) { return ArgOf(call, false); }},
    {"matmul", Product},
    {"softmax", [](const OperationCall& call) { return AlongAxis(call, false); }},
    {"log_softmax", [](const OperationCall& call) { return AlongAxis(call, true); }},
};

}  // namespace

std::span<const OperationEntry> ReducingOperations() { return kEntries; }

}  // namespace fusebox
