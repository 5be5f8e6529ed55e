// SPDX-License-Identifier: Apache-2.0
// Throws from every method. The trampolines of the SDK let no exception pass.
#include "fusebox/plugins/sdk/sdk.h"

namespace bad {
using namespace fusebox;

struct InConstructor final : sdk::Layer {
  explicit InConstructor(const sdk::Attributes&) { throw 42; }
  Value Expand(sdk::Scope&, Value x) const override { return x; }
};
struct InExpand final : sdk::Layer {
  Value Expand(sdk::Scope&, Value) const override { throw std::runtime_error("the dog ate it"); }
};
struct UnknownAttribute final : sdk::Layer {
  explicit UnknownAttribute(const sdk::Attributes& attributes) { attributes.Int("units"); }
  Value Expand(sdk::Scope&, Value x) const override { return x; }
};
struct OfActivation final : sdk::Activation {
  Value Expand(sdk::Scope&, Value) const override { throw std::runtime_error("no activation"); }
};
struct OfLoss final : sdk::Loss {
  Value Expand(sdk::Scope&, Value, Value) const override { throw std::runtime_error("no loss"); }
};
struct OfMetric final : sdk::Metric {
  Value Update(sdk::Scope&, Value, Value) const override { throw std::runtime_error("no metric"); }
};
struct OfOptimizer final : sdk::Optimizer {
  Value Update(sdk::Scope&, Value, Value, Value) const override { throw std::runtime_error("no optimizer"); }
};
struct OfInitializer final : sdk::Initializer {
  Value Expand(sdk::Scope&, const FbType&) const override { throw std::runtime_error("no initializer"); }
};
FUSEBOX_PLUGIN(InConstructor, {.id = "bad/in_constructor"});
FUSEBOX_PLUGIN(InExpand, {.id = "bad/in_expand"});
FUSEBOX_PLUGIN(UnknownAttribute, {.id = "bad/unknown_attribute"});
FUSEBOX_PLUGIN(OfActivation, {.id = "bad/throws"});
FUSEBOX_PLUGIN(OfLoss, {.id = "bad/throws"});
FUSEBOX_PLUGIN(OfMetric, {.id = "bad/throws"});
FUSEBOX_PLUGIN(OfOptimizer, {.id = "bad/throws"});
FUSEBOX_PLUGIN(OfInitializer, {.id = "bad/throws"});

struct CallbackInConstructor final : sdk::Callback {
  CallbackInConstructor() { throw std::runtime_error("no callback"); }
};
struct CallbackInMethods final : sdk::Callback {
  void OnEpochEnd(sdk::Event&) override { throw std::runtime_error("no epoch ends"); }
  void OnBatchEnd(sdk::Event&) override { throw "a string"; }
  std::string SaveState() const override { throw std::runtime_error("no state saved"); }
  void LoadState(std::string_view) override { throw std::runtime_error("no state loaded"); }
};
FUSEBOX_PLUGIN(CallbackInConstructor, {.id = "bad/callback_constructor"});
FUSEBOX_PLUGIN(CallbackInMethods, {.id = "bad/callback_methods"});

struct DatasetInConstructor final : sdk::Dataset {
  DatasetInConstructor() { throw 1; }
  std::vector<sdk::Split> Splits() const override { return {}; }
  std::vector<sdk::Array> Load(std::string_view) const override { return {}; }
};
struct DatasetInSplits final : sdk::Dataset {
  std::vector<sdk::Split> Splits() const override { throw std::runtime_error("no splits"); }
  std::vector<sdk::Array> Load(std::string_view) const override { return {}; }
};
struct DatasetInLoad final : sdk::Dataset {
  std::vector<sdk::Split> Splits() const override { return {{"train", 1}, {"test", 1}}; }
  std::vector<sdk::Array> Load(std::string_view) const override { throw std::runtime_error("no arrays"); }
};
FUSEBOX_PLUGIN(DatasetInConstructor, {.id = "bad/dataset_constructor"});
FUSEBOX_PLUGIN(DatasetInSplits, {.id = "bad/dataset_splits"});
FUSEBOX_PLUGIN(DatasetInLoad, {.id = "bad/dataset_load"});

}  // namespace bad
FUSEBOX_LIBRARY("throws", "1.0.0")
