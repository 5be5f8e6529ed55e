// SPDX-License-Identifier: Apache-2.0
// Models with parts written as C++ functions, for the command to open: see own_functions_test.cc. The attribute `model`
// selects one.
#include <string>

#include "fusebox/fusebox.h"

namespace fb = fusebox;

namespace {

fb::Value SquaredError(fb::Value y_true, fb::Value y_pred) { return fb::Mean(fb::Square(y_true - y_pred), {-1}); }
fb::Value Gap(fb::Value y_true, fb::Value y_pred) { return fb::Mean(fb::Abs(y_true - y_pred), {-1}); }
fb::Value Swish(fb::Value x) { return x * fb::Sigmoid(x); }

// y is [N] or [N, 1] in the data, and [N, 1] in the model.
absl::StatusOr<fb::Sequential> Stack(int64_t width) {
  fb::Sequential model({fb::Dense(width, {.input_shape = {4}}), fb::Lambda(Swish), fb::Dense(1)}, {.name = "stack"});
  const absl::Status compiled = model.Compile({.optimizer = "sgd:learning_rate=0.1",
                                               .loss = fb::LossFn("squared", SquaredError),
                                               .metrics = {fb::MetricFn("gap", Gap)},
                                               .weighted_metrics = {fb::MetricFn("weighted_gap", Gap), "mae"}});
  if (!compiled.ok()) return compiled;
  return model;
}

// Two outputs, one with a function as its loss.
absl::StatusOr<fb::Model> Graph() {
  const fb::SymbolicTensor x = fb::Input({4}, {.name = "in"});
  const fb::SymbolicTensor both = fb::Lambda([](fb::Value a, fb::Value b) { return fb::Abs(a - b); },
                                             {.name = "distance"})({fb::Dense(3)(x), fb::Dense(3, "tanh")(x)});
  fb::Model model(x, {fb::Dense(1, {.name = "first"})(both), fb::Dense(2, {.name = "second"})(both)},
                  {.name = "graph"});
  const absl::Status compiled =
      model.Compile({.optimizer = "adam",
                     .loss = {{"first", fb::LossFn("squared", SquaredError)}, {"second", "mae"}},
                     .loss_weights = {{"second", 0.5}},
                     .metrics = {{"second", {fb::MetricFn("gap", Gap)}}}});
  if (!compiled.ok()) return compiled;
  return model;
}

// A class whose Call makes a Lambda and adds its result to the loss.
class Ranker final : public fb::Model {
 public:
  fb::CallOutputs Call(const fb::SymbolicTensors& inputs, bool) const override {
    const fb::SymbolicTensor hidden = fb::Lambda(Swish)(hidden_(inputs[0]));
    const fb::SymbolicTensor size = fb::Lambda([](fb::Value v) { return 0.01 * fb::Square(v); })(hidden);
    AddLoss(size);
    AddMetric(size, "size");
    return {{"score", score_(hidden)}};
  }

 private:
  fb::Layer hidden_ = fb::Dense(3, {.name = "hidden"}), score_ = fb::Dense(1, {.name = "score"});
};
absl::StatusOr<Ranker> Class() {
  Ranker model;
  absl::Status done = model.Build(fb::Input({4}));
  if (done.ok()) done = model.Compile({.optimizer = "sgd", .loss = fb::LossFn("squared", SquaredError)});
  if (!done.ok()) return done;
  return model;
}

// The added loss is the only one.
absl::StatusOr<fb::Model> Added() {
  const fb::SymbolicTensor x = fb::Input({4}, {.name = "in"}), y = fb::Dense(2)(x);
  fb::Model model(x, y, {.name = "added"});
  model.AddLoss(fb::Lambda([](fb::Value v) { return fb::Mean(fb::Square(v), {0, 1}); })(y));
  const absl::Status compiled = model.Compile({.optimizer = "sgd"});
  if (!compiled.ok()) return compiled;
  return model;
}

// Steps of zeros do not count.
absl::StatusOr<fb::Sequential> Masked() {
  fb::Sequential model({fb::Masking(0, {.input_shape = {5, 4}}), fb::TimeDistributed(fb::Dense(2))},
                       {.name = "masked"});
  const absl::Status compiled = model.Compile({.optimizer = "sgd:learning_rate=0.1",
                                               .loss = fb::LossFn("squared", SquaredError),
                                               .metrics = {fb::MetricFn("gap", Gap)}});
  if (!compiled.ok()) return compiled;
  return model;
}

// Computes something else in training, which a description cannot express.
class Noisy final : public fb::Model {
 public:
  fb::CallOutputs Call(const fb::SymbolicTensors& inputs, bool training) const override {
    const fb::SymbolicTensor y = dense_(inputs[0]);
    return training ? fb::Lambda(Swish)(y) : y;
  }

 private:
  fb::Layer dense_ = fb::Dense(1);
};
absl::StatusOr<Noisy> Differs() {
  Noisy model;
  absl::Status done = model.Build(fb::Input({4}));
  if (done.ok()) done = model.Compile({.optimizer = "sgd", .loss = "mse"});
  if (!done.ok()) return done;
  return model;
}

// Without an input_shape.
absl::StatusOr<fb::Sequential> Shapeless() { return fb::Sequential({fb::Lambda(Swish), fb::Dense(1)}); }

}  // namespace

absl::StatusOr<fb::Model> Build(const fb::sdk::Attributes& attributes) {
  const std::string which = attributes.String("model");
  if (which == "stack") return Stack(attributes.Int("width"));
  if (which == "graph") return Graph();
  if (which == "class") return Class();
  if (which == "added") return Added();
  if (which == "masked") return Masked();
  if (which == "differs") return Differs();
  if (which == "shapeless") return Shapeless();
  return Ranker();  // Without its inputs' shapes.
}

FUSEBOX_MODEL(Build, {.id = "own_functions",
                      .doc = "Models of which part is C++ functions.",
                      .attributes = {fb::sdk::String("model"), fb::sdk::Int("width", 3).Min(1)}});

int main() {
  const absl::StatusOr<fb::Model> model = Graph();
  return model.ok() ? 0 : 1;
}
