// SPDX-License-Identifier: Apache-2.0
// Models that Keras saved, with its numbers beside them: NAME.npz has x_<input>, y_<output>, prediction_<output>,
// final_<key> of evaluate() in batches of 4, and next_loss, the loss of another epoch without shuffling.
#pragma once
#include <string>
#include <vector>

#include "fusebox/runtime/files/npz.h"
#include "fusebox/runtime/model.h"
#include "tests/runtime/files/files.h"

namespace fusebox::testing {

// The parameter is the file in Folder(): "dict_outputs.keras".
class KerasModels : public ::testing::TestWithParam<const char*> {
 protected:
  static constexpr float kBound = 2e-5f;

  // The folder in tests/data.
  virtual std::string Folder() const = 0;

  std::string Path() const { return DataPath(Folder() + "/") + GetParam(); }
  void SetUp() override {
    const std::string path = Path();
    ASSERT_OK_AND_ASSIGN(arrays_, ReadNpz(path.substr(0, path.rfind('.')) + ".npz"));
  }
  Arrays Named(const std::string& prefix) const {
    std::vector<NamedTensor> some;
    for (const auto& [name, value] : arrays_) {
      if (name.starts_with(prefix)) some.push_back({name.substr(prefix.size()), value});
    }
    return some;
  }
  void ExpectKerasNumbers(Model& model) const {
    ASSERT_OK_AND_ASSIGN(const Arrays predicted, model.Predict(Named("x_")));
    const Arrays expected = Named("prediction_");
    ASSERT_EQ(predicted.size(), expected.size());
    for (const auto& [name, value] : expected.named()) {
      const Tensor& got = expected.size() == 1 ? predicted[0] : predicted[name];
      ASSERT_EQ(got.shape(), value.shape()) << name;
      for (size_t i = 0; i < size_t(value.size()); ++i)
        ASSERT_NEAR(got.values<float>()[i], value.values<float>()[i], kBound) << name << " " << i;
    }
    ASSERT_OK_AND_ASSIGN(const Logs logs, model.Evaluate(Named("x_"), Named("y_"), {.batch_size = 4}));
    const Arrays finals = Named("final_");
    EXPECT_EQ(logs.size(), finals.size());
    for (const auto& [name, value] : finals.named()) EXPECT_NEAR(logs[name], value.values<float>()[0], kBound) << name;
  }
  void ExpectNextLoss(Model& model) const {
    ASSERT_OK_AND_ASSIGN(const History history,
                         model.Fit(Named("x_"), Named("y_"), {.batch_size = 4, .shuffle = false, .verbose = 0}));
    EXPECT_NEAR(history["loss"][0], Named("next_loss")[0].values<float>()[0], kBound);
  }
  // The model has Keras's numbers, also after it was saved and opened again, and trains on as Keras does.
  void ExpectSameAsKeras() const {
    ASSERT_OK_AND_ASSIGN(Model model, LoadModel(Path()));
    ExpectKerasNumbers(model);
    const TempFolder folder;
    ASSERT_OK(model.Save(folder / "again.keras"));
    ASSERT_OK_AND_ASSIGN(Model again, LoadModel(folder / "again.keras"));
    EXPECT_EQ(again.config(), model.config());
    ExpectKerasNumbers(again);
    ExpectNextLoss(model);
    ExpectNextLoss(again);
  }

  std::vector<NamedTensor> arrays_;
};

// Names a test by the file's name without its ending, and "_h5" behind it for that one.
inline std::string NameOfFile(const ::testing::TestParamInfo<const char*>& test) {
  const std::string file = test.param;
  return file.substr(0, file.find('.')) + (file.ends_with(".h5") ? "_h5" : "");
}

}  // namespace fusebox::testing
