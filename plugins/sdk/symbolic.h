// SPDX-License-Identifier: Apache-2.0
// Base classes of the items that write symbols. Such an item is a pure function of attributes and inputs: its object is
// made from sdk::Attributes (or from nothing, if it has no such constructor) and lives for one call only. Gradients,
// kernels, shapes, saving and help follow from the symbols and the schema; there is nothing else to write.
//
// C++ does not define the order in which operands are evaluated: declare weights and random values in statements of
// their own, so that every compiler declares them in the same order.
#pragma once
#include <exception>
#include <type_traits>

#include "fusebox/plugins/sdk/scope.h"

namespace fusebox::sdk {

// A layer of one input.
class Layer {
 public:
  static constexpr uint32_t kKind = FB_LAYER;  // For FUSEBOX_PLUGIN.
  virtual ~Layer() = default;
  // x [N, ...] -> y [N, ...]
  virtual Value Expand(Scope& scope, Value x) const = 0;
  // Called by the trampoline: reads the inputs and expands.
  Value Run(Scope& scope) const {
    if (scope.input_count() != 1) return scope.Error("takes one input, got {}", scope.input_count());
    return Expand(scope, scope.Input(0));
  }
};

// A layer with several inputs.
class MergeLayer {
 public:
  static constexpr uint32_t kKind = FB_LAYER;  // For FUSEBOX_PLUGIN.
  virtual ~MergeLayer() = default;
  // inputs [N, ...] each -> y [N, ...]
  virtual Value Expand(Scope& scope, const Values& inputs) const = 0;
  // Called by the trampoline: reads the inputs and expands.
  Value Run(Scope& scope) const {
    Values inputs;
    for (uint32_t i = 0; i < scope.input_count(); ++i) inputs.push_back(scope.Input(i));
    return Expand(scope, inputs);
  }
};

// A function of a value, element by element or along an axis.
class Activation {
 public:
  static constexpr uint32_t kKind = FB_ACTIVATION;  // For FUSEBOX_PLUGIN.
  virtual ~Activation() = default;
  // x -> y, usually of the same shape (a gated unit halves an axis).
  virtual Value Expand(Scope& scope, Value x) const = 0;
  // Called by the trampoline: reads the inputs and expands.
  Value Run(Scope& scope) const { return Expand(scope, scope.Input(0)); }
};

// What a model learns to make small.
class Loss {
 public:
  static constexpr uint32_t kKind = FB_LOSS;  // For FUSEBOX_PLUGIN.
  virtual ~Loss() = default;
  // Returns one loss per sample and position, f32[N, ...]. The host reduces them to their mean, or as an attribute
  // `reduction` says: "sum", "mean_with_sample_weight".
  virtual Value Expand(Scope& scope, Value y_true, Value y_pred) const = 0;
  // Called by the trampoline: reads the inputs and expands.
  Value Run(Scope& scope) const {
    const Value y_true = scope.Input(0);
    return Expand(scope, y_true, scope.Input(1));
  }
};

// A number that is logged and not trained.
class Metric {
 public:
  static constexpr uint32_t kKind = FB_METRIC;  // For FUSEBOX_PLUGIN.
  virtual ~Metric() = default;
  // Adds this step to Scope::Accumulator states (Scope::Accumulated and Scope::RunningMean do so), and returns the
  // result so far, f32[]; or f32[k], which is logged as <name>_0, <name>_1, ... Samples may have weights: see
  // Scope::SampleWeight.
  virtual Value Update(Scope& scope, Value y_true, Value y_pred) const = 0;
  // Called by the trampoline: reads the inputs and expands.
  Value Run(Scope& scope) const {
    const Value y_true = scope.Input(0);
    return Update(scope, y_true, scope.Input(1));
  }
};

// How a gradient changes a variable.
class Optimizer {
 public:
  static constexpr uint32_t kKind = FB_OPTIMIZER;  // For FUSEBOX_PLUGIN.
  virtual ~Optimizer() = default;
  // Returns the new variable. Called once for each variable; per-variable memory is a Scope::Slot.
  virtual Value Update(Scope& scope, Value variable, Value gradient, Value learning_rate) const = 0;
  // Called by the trampoline: reads the inputs and expands.
  Value Run(Scope& scope) const {
    const Value variable = scope.Input(0);
    const Value gradient = scope.Input(1);
    return Update(scope, variable, gradient, scope.Input(2));
  }
};

// A learning rate that changes with the steps.
class Schedule {
 public:
  static constexpr uint32_t kKind = FB_SCHEDULE;  // For FUSEBOX_PLUGIN.
  virtual ~Schedule() = default;
  // Returns the learning rate after this many steps, f64[] -> f64[] (or f32[]).
  virtual Value Expand(Scope& scope, Value step) const = 0;
  // Called by the trampoline: reads the inputs and expands.
  Value Run(Scope& scope) const { return Expand(scope, scope.Input(0)); }
};

// A penalty of a weight or of a layer's output.
class Regularizer {
 public:
  static constexpr uint32_t kKind = FB_REGULARIZER;  // For FUSEBOX_PLUGIN.
  virtual ~Regularizer() = default;
  // Returns the penalty of a weight, f32[...] -> f32[], which is added to the loss.
  virtual Value Expand(Scope& scope, Value x) const = 0;
  // Called by the trampoline: reads the inputs and expands.
  Value Run(Scope& scope) const { return Expand(scope, scope.Input(0)); }
};

// What a weight has to keep to.
class Constraint {
 public:
  static constexpr uint32_t kKind = FB_CONSTRAINT;  // For FUSEBOX_PLUGIN.
  virtual ~Constraint() = default;
  // Maps a weight, after each training step, to a value of the same shape that meets the constraint.
  virtual Value Expand(Scope& scope, Value w) const = 0;
  // Called by the trampoline: reads the inputs and expands.
  Value Run(Scope& scope) const { return Expand(scope, scope.Input(0)); }
};

// The first value of a weight.
class Initializer {
 public:
  static constexpr uint32_t kKind = FB_INITIALIZER;  // For FUSEBOX_PLUGIN.
  virtual ~Initializer() = default;
  // Returns a value of this type.
  virtual Value Expand(Scope& scope, const FbType& type) const = 0;

  // Called by the trampoline: reads the inputs and expands.
  Value Run(Scope& scope) const { return Expand(scope, wanted_); }
  // Called before Run: the type to make.
  void Want(const FbType& type) { wanted_ = type; }

 private:
  FbType wanted_ = {};
};

// The object, from its attributes if it takes some.
template <class Class>
Class MakeItem(const Attributes& attributes) {
  if constexpr (std::is_constructible_v<Class, const Attributes&>) {
    return Class(attributes);
  } else {
    return Class();
  }
}

// Makes the object, runs it and destroys it, all on the plugin's side. No exception passes the boundary.
template <class Class>
FbId ExpandTrampoline(const FbCall* raw) noexcept {
  const FbCall call = ReadStruct(raw);
  try {
    Scope scope(call);
    Class object = MakeItem<Class>(Attributes(call.attributes, call.attribute_count));
    if constexpr (std::is_base_of_v<Initializer, Class>) {
      if (call.wanted == nullptr) return call.api->error(call.builder, "was not told which type to make", nullptr);
      object.Want(ReadStruct(call.wanted));
    }
    return object.Run(scope).id;
  } catch (const std::exception& e) {
    return call.api->error(call.builder, e.what(), nullptr);
  } catch (...) {
    return call.api->error(call.builder, "threw something that is no std::exception", nullptr);
  }
}

}  // namespace fusebox::sdk
