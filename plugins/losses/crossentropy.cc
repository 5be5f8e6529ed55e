// SPDX-License-Identifier: Apache-2.0
// Chooses the cross-entropy by the shapes, as Keras's string "crossentropy" (or "ce") does:
//     y_pred [N, ..., 1]                                   binary_crossentropy
//     y_pred [N, ..., C]  y_true [N, ...] or [N, ..., 1]   sparse_categorical_crossentropy
//     y_pred [N, ..., C]  y_true [N, ..., C]               categorical_crossentropy
// Each is used with its defaults.
#include "fusebox/plugins/losses/loss.h"

namespace fusebox {
namespace {

class Crossentropy final : public sdk::Loss {
 public:
  Value Expand(sdk::Scope& scope, Value y_true, Value y_pred) const override {
    if (!y_true.ok() || !sdk::Predictions(scope, y_pred).ok()) return {};
    const char* const loss = y_pred.rank() == 1 || y_pred.dim(-1) == 1 ? "binary_crossentropy"
                             : sdk::AreClasses(y_true, y_pred)         ? "sparse_categorical_crossentropy"
                                                                       : "categorical_crossentropy";
    return scope.Loss(loss, y_true, y_pred);
  }
};

FUSEBOX_PLUGIN(Crossentropy, {.id = "fusebox/crossentropy",
                              .doc = "Binary, sparse or categorical cross-entropy, depending on the shapes.",
                              .class_labels_by_shape = true});

}  // namespace
}  // namespace fusebox
