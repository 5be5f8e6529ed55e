// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/files/foreign_models.h"

#include <fstream>

#include "tests/runtime/files/files.h"

namespace fusebox::testing {
namespace {

using ::testing::HasSubstr;

TEST(ForeignModels, AreRefusedByName) {
  const TempFolder folder;
  for (const char* name : {"saved", "checkpoints", "unpacked", "other"})
    std::filesystem::create_directory(folder / name);
  for (const char* name : {"saved/saved_model.pb", "checkpoints/checkpoint", "w.index", "unpacked/config.json",
                           "unpacked/metadata.json", "m.keras"}) {
    std::ofstream(folder / name) << "x";
  }
  const std::pair<const char*, const char*> cases[] = {
      {"saved", "is a TensorFlow SavedModel, which fusebox does not read: load it in Python"},
      {"saved/saved_model.pb", "is a TensorFlow SavedModel"},
      {"checkpoints", "is a TensorFlow checkpoint of weights"},
      {"w", "is a TensorFlow checkpoint of weights, which fusebox does not read: build the model in Python"},
      {"w.ckpt.index", "is a TensorFlow checkpoint"},
      {"w.data-00000-of-00001", "is a TensorFlow checkpoint"},
      {"unpacked", "is a folder: expected the .keras file that it was unpacked from"},
      {"other", "is a folder: expected a .keras, .h5 or .fbg file"},
      {"m.tflite", "is a TensorFlow Lite model"},
      {"m.pt", "is a file of PyTorch's"},
      {"m.weights.json", "names files with weights alone"}};
  for (const auto& [name, message] : cases)
    EXPECT_THAT(RefuseForeignModel(folder / name), StatusHasMessage(HasSubstr(message))) << name;
  EXPECT_OK(RefuseForeignModel(folder / "m.keras"));
  EXPECT_OK(RefuseForeignModel("fashion_mnist_mlp"));
}

}  // namespace
}  // namespace fusebox::testing
