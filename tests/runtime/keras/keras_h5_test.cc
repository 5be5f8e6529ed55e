// SPDX-License-Identifier: Apache-2.0
// Files that Keras 2 of TensorFlow 2.15 saved, as .h5 and as .keras (tests/data/tf_keras, made by
// tests/python/make_tf_keras_models.py): models open, predict the same, and continue training alike. Also errors in
// such files.
#include "fusebox/runtime/keras/keras_h5.h"

#include <hdf5.h>

#include <cmath>
#include <map>

#include "fusebox/runtime/files/npz.h"
#include "fusebox/runtime/keras/keras_config.h"
#include "fusebox/runtime/model.h"
#include "tests/runtime/files/files.h"

namespace fusebox::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr double kBound = 2e-5;

class KerasTwo : public ::testing::TestWithParam<std::tuple<const char*, const char*>> {
 protected:
  std::vector<NamedTensor> Named(const std::string& prefix) const {
    std::vector<NamedTensor> some;
    for (const auto& [name, value] : arrays_) {
      if (name.starts_with(prefix)) some.push_back({name.substr(prefix.size()), value});
    }
    return some;
  }
  double Number(const std::string& name) const { return arrays_.at(name).Cast(DType::kF64).values<double>()[0]; }
  void ExpectPredictions(Model& model, const std::string& prefix) const {
    ASSERT_OK_AND_ASSIGN(const Arrays predicted, model.Predict(Named("x_")));
    const std::vector<NamedTensor> expected = Named(prefix);
    ASSERT_EQ(predicted.size(), expected.size());
    for (const auto& [name, value] : expected) {
      ASSERT_EQ(predicted[name].shape(), value.shape()) << name;
      for (size_t i = 0; i < size_t(value.size()); ++i)
        ASSERT_NEAR(predicted[name].values<float>()[i], value.values<float>()[i], kBound) << prefix << name << " " << i;
    }
  }

  std::map<std::string, Tensor> arrays_;
};

TEST_P(KerasTwo, OpensAndTrainsOn) {
  const auto& [name, ending] = GetParam();
  const std::string base = DataPath("tf_keras/") + name;
  ASSERT_OK_AND_ASSIGN(const std::vector<NamedTensor> arrays, ReadNpz(base + ".npz"));
  for (const NamedTensor& array : arrays) arrays_[array.name] = array.value;
  ASSERT_OK_AND_ASSIGN(Model model, LoadModel(base + ending));
  ExpectPredictions(model, "prediction_");
  // Losses and metrics, and their names, come from the file.
  const Arrays x = Named("x_"), y = Named("y_");
  ASSERT_OK_AND_ASSIGN(const Logs logs, model.Evaluate(x, y, {.batch_size = 8}));
  const std::vector<NamedTensor> finals = Named("final_");
  EXPECT_EQ(logs.size(), finals.size());
  for (const NamedTensor& final : finals)
    EXPECT_NEAR(logs[final.name], Number("final_" + final.name), kBound) << final.name;
  // The optimizer continues with its saved state.
  ASSERT_OK_AND_ASSIGN(const History history, model.Fit(x, y, {.batch_size = 8, .shuffle = false, .verbose = 0}));
  EXPECT_NEAR(history["loss"][0], Number("next_loss"), kBound);
  ExpectPredictions(model, "next_prediction_");
  // Saving writes the current format.
  const TempFolder folder;
  ASSERT_OK(model.Save(folder / "again.keras"));
  ASSERT_OK_AND_ASSIGN(Model again, LoadModel(folder / "again.keras"));
  ExpectPredictions(again, "next_prediction_");
}

INSTANTIATE_TEST_SUITE_P(Files, KerasTwo,
                         ::testing::Combine(::testing::Values("stack", "graph", "nested", "deferred"),
                                            ::testing::Values(".h5", ".keras")),
                         [](const auto& test) {
                           return std::string(std::get<0>(test.param)) + (std::get<1>(test.param) + 1);
                         });

TEST(KerasH5, ReadsLayersWithTheirWeights) {
  ASSERT_OK_AND_ASSIGN(const KerasH5 file, ParseKerasH5(Slurp(DataPath("tf_keras/nested.h5")), "f"));
  std::vector<std::string> names;
  for (const KerasH5::Layer& layer : file.layers) names.push_back(layer.name);
  EXPECT_THAT(names, ElementsAre("encoder", "out"));
  // Kernel, bias, gamma, beta; then untrained weights: mean, variance, those of the frozen layer.
  EXPECT_EQ(file.layers[0].weights.size(), 8u);
  EXPECT_THAT(file.layers[0].weights[6].shape(), ElementsAre(5, 5));
  EXPECT_EQ(file.optimizer_vars.size(), 7u);
  EXPECT_TRUE(file.config.compile.has_value());
}

TEST(KerasH5, DamageIsAnError) {
  const std::string whole = Slurp(DataPath("tf_keras/stack.h5"));
  ExpectTruncationsAreErrors(whole, [](const std::string& bytes) { return ParseKerasH5(bytes, "f").status(); }, 997);
  CountUndetectedFlips(whole, [](const std::string& bytes) { return ParseKerasH5(bytes, "f").status(); }, 8 * 997 + 3);
}

// Builds a file with these text attributes of the root and of groups, and a weight.
class Made {
 public:
  explicit Made(const std::string& path) : file_(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT)) {}
  ~Made() { H5Fclose(file_); }

  void Group(const char* name) { H5Gclose(H5Gcreate2(file_, name, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT)); }
  void Text(const char* group, const char* name, const std::string& text) {
    const hid_t type = H5Tcopy(H5T_C_S1), space = H5Screate(H5S_SCALAR), object = H5Gopen2(file_, group, H5P_DEFAULT);
    H5Tset_size(type, text.size() + 1);
    Write(object, name, type, space, text.c_str());
  }
  void Texts(const char* group, const char* name, std::vector<const char*> texts) {
    const hsize_t count = texts.size();
    const hid_t type = H5Tcopy(H5T_C_S1), object = H5Gopen2(file_, group, H5P_DEFAULT);
    const hid_t space = H5Screate_simple(1, &count, nullptr);
    H5Tset_size(type, H5T_VARIABLE);
    Write(object, name, type, space, texts.empty() ? nullptr : texts.data());
  }
  void Weight(const char* path, std::vector<hsize_t> shape) {
    const hid_t space = H5Screate_simple(int(shape.size()), shape.data(), nullptr);
    H5Dclose(H5Dcreate2(file_, path, H5T_IEEE_F32LE, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
    H5Sclose(space);
  }

 private:
  static void Write(hid_t object, const char* name, hid_t type, hid_t space, const void* data) {
    const hid_t attribute = H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    if (data != nullptr) H5Awrite(attribute, type, data);
    H5Aclose(attribute);
    H5Sclose(space);
    H5Tclose(type);
    H5Gclose(object);
  }

  hid_t file_;
};

constexpr const char* kDense =
    R"({"class_name": "Sequential", "config": [{"class_name": "Dense", "config": {"name": "d", "units": 3,
        "batch_input_shape": [null, 2]}}]})";

TEST(KerasH5, TakesOldListsNamesInPiecesAndTextsOfFixedLength) {
  const TempFolder folder;
  {
    Made made(folder / "old.h5");
    made.Text("/", "model_config", kDense);
    made.Group("model_weights");
    made.Group("model_weights/d");
    made.Texts("model_weights", "layer_names0", {"d"});
    made.Texts("model_weights", "layer_names1", {});
    made.Texts("model_weights/d", "weight_names", {"kernel", "bias"});
    made.Weight("model_weights/d/kernel", {2, 3});
    made.Weight("model_weights/d/bias", {3});
  }
  ASSERT_OK_AND_ASSIGN(Model model, LoadModel(folder / "old.h5"));
  EXPECT_EQ(model.CountParams(), 9);
  EXPECT_EQ(model.config().compile, std::nullopt);
}

TEST(KerasH5, SaysWhatIsWrong) {
  const TempFolder folder;
  const std::string path = folder / "m.h5";
  const auto error = [&](const std::function<void(Made&)>& make) {
    {
      Made made(path);
      make(made);
    }
    const std::string message(LoadModel(path).status().message());
    EXPECT_THAT(message, HasSubstr("'" + path + "': "));
    return message;
  };
  const auto with_weights = [](Made& made, std::vector<hsize_t> kernel, const char* layer = "d") {
    const std::string group = std::string("model_weights/") + layer;
    made.Text("/", "model_config", kDense);
    made.Group("model_weights");
    made.Group(group.c_str());
    made.Texts("model_weights", "layer_names", {layer});
    made.Texts(group.c_str(), "weight_names", {"kernel", "bias"});
    made.Weight((group + "/kernel").c_str(), std::move(kernel));
    made.Weight((group + "/bias").c_str(), {3});
  };
  EXPECT_THAT(error([](Made& made) { made.Weight("vars", {2}); }),
              HasSubstr("has no model_config: expected a whole model, as model.save writes it, not weights alone"));
  EXPECT_THAT(error([](Made& made) { made.Text("/", "model_config", "{"); }), HasSubstr("model_config"));
  EXPECT_THAT(error([](Made& made) { made.Texts("/", "model_config", {"{}"}); }),
              HasSubstr("model_config: a text expected, got a list"));
  EXPECT_THAT(error([](Made& made) { made.Text("/", "model_config", kDense); }),
              HasSubstr("'model_weights@layer_names' is missing"));
  EXPECT_THAT(error([](Made& made) {
                made.Text("/", "model_config", kDense);
                made.Group("model_weights");
                made.Group("model_weights/d");
                made.Texts("model_weights", "layer_names", {"d"});
                made.Texts("model_weights/d", "weight_names", {"kernel"});
              }),
              HasSubstr("the weight 'model_weights/d/kernel' is missing"));
  EXPECT_THAT(error([&](Made& made) { with_weights(made, {3, 2}); }),
              HasSubstr("'d/kernel': expected the shape [2,3], got [3,2]"));
  EXPECT_THAT(error([&](Made& made) { with_weights(made, {2, 3}, "other"); }),
              HasSubstr("layer 'other': expected 0 weights, found 2"));
  EXPECT_THAT(error([](Made& made) {
                made.Text("/", "model_config", kDense);
                made.Group("model_weights");
                made.Texts("model_weights", "layer_names", {});
              }),
              HasSubstr("expected 2 weights, found those of 0 layers, 0 in all"));
}

}  // namespace
}  // namespace fusebox::testing
