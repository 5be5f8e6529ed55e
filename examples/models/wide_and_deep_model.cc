// SPDX-License-Identifier: Apache-2.0
// Predicts house prices twice, as a user-defined class (Keras's subclassing API):
//     deep_input [N, 6] --dense, relu--> [N, 30] --dense, relu--> h [N, 30] --dense--> aux_output [N, 1]
//     h concatenated with wide_input [N, 5]--> [N, 35] --dense--> main_output [N, 1]
// Source: Geron (2022), Hands-On Machine Learning with Scikit-Learn, Keras, and TensorFlow, chapter 10; Cheng et al.
// (2016), Wide & Deep Learning for Recommender Systems.
//
// This source is a program, which trains the network:   build/release/bin/wide_and_deep_model [EPOCHS]
// (it reads california_housing.csv in FUSEBOX_DATA_DIR: see plugins/datasets/california_housing.cc),
// and a model for the fusebox command:                  build/release/bin/fusebox summary wide_and_deep_model
#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "fusebox/fusebox.h"

namespace fb = fusebox;

class WideAndDeepModel final : public fb::Model {
 public:
  explicit WideAndDeepModel(int64_t units = 30, const std::string& activation = "relu")
      : hidden1_(fb::Dense(units, activation, {.name = "hidden1"})),
        hidden2_(fb::Dense(units, activation, {.name = "hidden2"})) {}

  fb::CallOutputs Call(const fb::SymbolicTensors& inputs, bool) const override {
    const fb::SymbolicTensor wide = inputs[0], deep = inputs[1];
    const fb::SymbolicTensor hidden2 = hidden2_(hidden1_(deep));
    const fb::SymbolicTensor both = fb::Concatenate()({wide, hidden2});
    return {{"main_output", main_output_(both)}, {"aux_output", aux_output_(hidden2)}};
  }

 private:
  fb::Layer hidden1_, hidden2_;
  fb::Layer main_output_ = fb::Dense(1, {.name = "main_output"});
  fb::Layer aux_output_ = fb::Dense(1, {.name = "aux_output"});
};

absl::StatusOr<WideAndDeepModel> Build() {
  WideAndDeepModel model;
  const absl::Status compiled =
      model.Compile({.optimizer = "sgd:learning_rate=0.001",
                     .loss = {{"main_output", "mean_squared_error"}, {"aux_output", "mean_squared_error"}},
                     .loss_weights = {{"main_output", 0.9}, {"aux_output", 0.1}}});
  if (!compiled.ok()) return compiled;
  // The first data would build the model, too; but the fusebox command has no data when it opens a model.
  const absl::Status built =
      model.Build({fb::Input({5}, {.name = "wide_input"}), fb::Input({6}, {.name = "deep_input"})});
  if (!built.ok()) return built;
  return model;
}

FUSEBOX_MODEL(Build,
              {.id = "wide_and_deep_model",
               .doc = "House prices: 5 features wide, 6 deep through 30 - 30, with an output after the deep layers."});

namespace {

// Copies some columns of all rows (rows are contiguous, columns are not).
fb::Tensor Columns(const fb::Tensor& x, int64_t begin, int64_t end) {
  fb::Tensor some(fb::DType::kF32, {x.rows(), end - begin});
  const auto from = x.values<float>();
  const auto to = some.mutable_values<float>();
  const size_t width = size_t(x.shape()[1]), count = size_t(end - begin);
  for (size_t row = 0; row < size_t(x.rows()); ++row)
    std::copy_n(from.begin() + ptrdiff_t(row * width + size_t(begin)), count, to.begin() + ptrdiff_t(row * count));
  return some;
}

// The first five features are the wide input, the last six the deep one; two are in both.
fb::Arrays Inputs(const fb::Tensor& x) { return {{"wide_input", Columns(x, 0, 5)}, {"deep_input", Columns(x, 2, 8)}}; }

absl::Status Train(int64_t epochs, int64_t seed) {
  fb::SetRandomSeed(seed);
  absl::StatusOr<WideAndDeepModel> model = Build();
  if (!model.ok()) return model.status();
  std::printf("%s", model->Summary().c_str());

  const absl::StatusOr<fb::Data> train = fb::LoadData("california_housing:standardized=true/train[:75%]");
  const absl::StatusOr<fb::Data> valid = fb::LoadData("california_housing:standardized=true/train[75%:]");
  const absl::StatusOr<fb::Data> test = fb::LoadData("california_housing:standardized=true/test");
  for (const auto* data : {&train, &valid, &test}) {
    if (!data->ok()) return data->status();
  }
  const absl::StatusOr<fb::History> history =
      model->Fit(Inputs(train->x), {train->y, train->y},
                 {.epochs = epochs, .validation_data = {{Inputs(valid->x), {valid->y, valid->y}}}});
  if (!history.ok()) return history.status();
  const absl::StatusOr<fb::Logs> result = model->Evaluate(Inputs(test->x), {test->y, test->y});
  if (!result.ok()) return result.status();
  std::printf("test: loss %.4f, main_output_loss %.4f, aux_output_loss %.4f\n", (*result)["loss"],
              (*result)["main_output_loss"], (*result)["aux_output_loss"]);
  // A file cannot hold the class, only the layers that its Call was traced to.
  absl::StatusOr<fb::Model> traced = model->Traced();
  if (!traced.ok()) return traced.status();
  return traced->Save("wide_and_deep_model.keras");
}

}  // namespace

int main(int argc, char** argv) {
  const absl::Status status = Train(argc > 1 ? std::atoll(argv[1]) : 20, argc > 2 ? std::atoll(argv[2]) : 42);
  if (!status.ok()) std::fprintf(stderr, "%s\n", std::string(status.message()).c_str());
  return status.ok() ? 0 : 1;
}
