// SPDX-License-Identifier: Apache-2.0
// Aligns y_true with y_pred, as Keras does; shared by losses and metrics.
//
//     y_pred [N, ..., C]   y_true: the same shape, or without a last axis of 1, or with an additional last axis of 1
//
// [N] and [N, 1] are aligned, never broadcast to [N, N].
#pragma once
#include "fusebox/plugins/sdk/sdk.h"

namespace fusebox::sdk {

struct Targets {
  Value y_true, y_pred;  // Not ok() after an error.
  bool ok() const { return y_true.ok() && y_pred.ok(); }
};

inline Value As(Value x, uint32_t dtype) { return x.dtype() == dtype || !x.ok() ? x : Cast(x, dtype); }

// Returns y_pred as [N, ..., C]; [N] becomes [N, 1]. An error unless it is float and has a batch axis.
inline Value Predictions(Scope& scope, Value y_pred) {
  const uint32_t dtype = y_pred.dtype();
  if (y_pred.ok() && (y_pred.rank() < 1 || (dtype != FB_F32 && dtype != FB_F64))) {
    return scope.Error("expects predictions f32[batch, ...], got {}", y_pred.type());
  }
  return y_pred.rank() == 1 ? Reshape(y_pred, {y_pred.dim(0), 1}) : y_pred;
}

// Both in the shape (see above) and dtype of y_pred.
inline Targets LineUp(Scope& scope, Value y_true, Value y_pred) {
  const Value predicted = Predictions(scope, y_pred);
  if (!predicted.ok() || !y_true.ok()) return {};
  const Dims expected = predicted.dims();
  Dims got = y_true.dims();
  if (got.size() + 1 == expected.size()) got.push_back(1);
  if (got.size() == expected.size() + 1 && got.back() == 1) got.pop_back();
  if (got != expected) return {scope.Error("expects targets like {}, got {}", y_pred.type(), y_true.type()), {}};
  const Value target = As(y_true, predicted.dtype());
  return {target.rank() == predicted.rank() ? target : Reshape(target, expected), predicted};
}

// Returns y_pred [N, ..., C], with C of two or more classes; otherwise an error.
inline Value ClassPredictions(Scope& scope, Value y_pred) {
  if (!Predictions(scope, y_pred).ok()) return {};
  if (y_pred.rank() < 2) return scope.Error("expects predictions [batch, ..., classes], got {}", y_pred.type());
  if (y_pred.dim(-1) != 1) return y_pred;
  return scope.Error(
      "expects predictions of two or more classes, got {}: a softmax of one unit is always 1, so use "
      "binary_crossentropy and a sigmoid",
      y_pred.type());
}

// y_true shaped like y_pred [N, ..., C]: for each class 0 or 1, or its probability. `other` names the item that takes
// class indices.
inline Targets OneHotTargets(Scope& scope, Value y_true, Value y_pred,
                             const char* other = "sparse_categorical_crossentropy") {
  const Value predicted = ClassPredictions(scope, y_pred);
  if (!predicted.ok() || !y_true.ok()) return {};
  if (y_true.dims() == predicted.dims()) return {As(y_true, predicted.dtype()), predicted};
  return {scope.Error("expects one-hot targets like {}, got {}: for class indices use {}", y_pred.type(), y_true.type(),
                      other),
          {}};
}

// y_true as i32[N, ..., 1], class indices, for y_pred [N, ..., C]. `other` names the item that takes one-hot targets.
inline Targets ClassTargets(Scope& scope, Value y_true, Value y_pred, const char* other = "categorical_crossentropy") {
  const Value predicted = ClassPredictions(scope, y_pred);
  if (!predicted.ok() || !y_true.ok()) return {};
  Dims column = predicted.dims();
  column.back() = 1;
  const Dims flat(column.begin(), column.end() - 1);
  if (y_true.dims() == column || y_true.dims() == flat) return {Reshape(As(y_true, FB_I32), column), predicted};
  return {scope.Error("expects one class per prediction, {} for {}, got {}{}", MakeType(FB_I32, flat), y_pred.type(),
                      y_true.type(),
                      y_true.dims() == predicted.dims() ? fmt::format(": for one-hot targets use {}", other) : ""),
          {}};
}

// Whether y_true holds class indices rather than one-hot rows: its shape lacks y_pred's last axis, or has 1 there.
inline bool AreClasses(Value y_true, Value y_pred) {
  return y_true.rank() < y_pred.rank() || (y_true.dim(-1) == 1 && y_pred.dim(-1) != 1);
}

}  // namespace fusebox::sdk
