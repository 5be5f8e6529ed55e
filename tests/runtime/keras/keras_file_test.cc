// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/keras/keras_file.h"

#include <nlohmann/json.hpp>

#include "fusebox/runtime/files/hdf5_reader.h"
#include "fusebox/runtime/files/hdf5_writer.h"
#include "fusebox/runtime/files/zip_archive.h"
#include "fusebox/runtime/keras/keras_config.h"
#include "tests/runtime/files/files.h"

namespace fusebox {
namespace {

using ::fusebox::testing::CountUndetectedFlips;
using ::fusebox::testing::DataPath;
using ::fusebox::testing::ExpectTruncationsAreErrors;
using ::fusebox::testing::Slurp;
using ::fusebox::testing::Spill;
using ::fusebox::testing::StatusHasMessage;
using ::fusebox::testing::TempFolder;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

Tensor Floats(std::vector<int64_t> shape, float first) {
  Tensor tensor(DType::kF32, std::move(shape));
  for (float& value : tensor.mutable_values<float>()) value = first++;
  return tensor;
}

KerasFile Small() {
  const auto dense = [](const char* name, int64_t units) {
    return LayerConfig{{"fusebox/dense@1", {{"units", units}}}, name, true};
  };
  KerasFile file;
  file.config = {.name = "net",
                 .inputs = {{"in", DType::kF32, {4}}},
                 .layers = {dense("hidden", 3), {{"fusebox/flatten@1", {}}, "flat", true}, dense("out", 2)},
                 .compile = CompileConfig{{"fusebox/sgd@1", {{"learning_rate", 0.5}}}, {"mean_squared_error", {}}, {}}};
  file.layers = {{"hidden", "Dense", {Floats({4, 3}, 1), Floats({3}, 20)}},
                 {"flat", "Flatten", {}},
                 {"out", "Dense", {Floats({3, 2}, 30), Floats({2}, 40)}}};
  file.optimizer_vars = {Tensor(DType::kI64, {}), Floats({}, 0.5f)};
  for (int i = 0; i < 12; ++i) file.optimizer_vars.push_back(Floats({2}, float(i)));
  file.fusebox_metadata = R"({"expansions":{"x":1}})";
  return file;
}

void ExpectEqual(const std::vector<Tensor>& a, const std::vector<Tensor>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i) {
    EXPECT_EQ(a[i].dtype(), b[i].dtype());
    ASSERT_EQ(a[i].shape(), b[i].shape());
    EXPECT_EQ(std::memcmp(a[i].raw(), b[i].raw(), a[i].bytes()), 0);
  }
}

TEST(KerasFile, ReadsWhatItWrites) {
  const TempFolder folder;
  const KerasFile file = Small();
  ASSERT_OK(WriteKeras(folder / "a.keras", file));
  ASSERT_OK_AND_ASSIGN(const KerasFile back, ReadKeras(folder / "a.keras"));
  EXPECT_EQ(back.config, file.config);
  EXPECT_EQ(back.fusebox_metadata, file.fusebox_metadata);
  ASSERT_EQ(back.layers.size(), 3u);
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(back.layers[i].layer_name, file.layers[i].layer_name);
    EXPECT_EQ(back.layers[i].class_name, file.layers[i].class_name);
    ExpectEqual(back.layers[i].vars, file.layers[i].vars);
  }
  ExpectEqual(back.optimizer_vars, file.optimizer_vars);  // More than ten: "10" comes before "2" in the file.
}

TEST(KerasFile, EqualContentsGiveEqualBytes) {
  const std::string once = *KerasBytes(Small());
  EXPECT_EQ(once, *KerasBytes(Small()));
  EXPECT_THAT(once, HasSubstr("1980-01-01@00:00:00"));
  ::setenv("SOURCE_DATE_EPOCH", "1700000000", 1);
  EXPECT_THAT(*KerasBytes(Small()), HasSubstr("2023-11-14@22:13:20"));
  ::unsetenv("SOURCE_DATE_EPOCH");
}

TEST(KerasFile, GroupsAreNamedAsKerasCounts) {
  ASSERT_OK_AND_ASSIGN(const std::string bytes, KerasWeightsBytes({Small().layers, {}}));
  std::vector<std::string> names;
  ASSERT_OK_AND_ASSIGN(const std::vector<NamedTensor> datasets, ReadHdf5(bytes, "f"));
  for (const NamedTensor& dataset : datasets) names.push_back(dataset.name);
  EXPECT_THAT(names, ElementsAre("layers/dense/vars/0", "layers/dense/vars/1", "layers/dense_1/vars/0",
                                 "layers/dense_1/vars/1"));
}

TEST(KerasFile, ReadsWhatKerasWrites) {
  ASSERT_OK_AND_ASSIGN(const KerasFile file, ReadKeras(DataPath("keras/small.keras")));
  ASSERT_EQ(file.config.inputs.size(), 1u);
  EXPECT_THAT(file.config.inputs[0].shape, ElementsAre(4));
  ASSERT_EQ(file.config.layers.size(), 3u);
  EXPECT_EQ(Print(file.config.layers[0].item), "fusebox/flatten");
  EXPECT_EQ(
      Print(file.config.layers[1].item),
      "fusebox/dense:activation=relu,bias_initializer=zeros,kernel_initializer=glorot_uniform,units=3,use_bias=true");
  ASSERT_TRUE(file.config.compile.has_value());
  EXPECT_EQ(Print(file.config.compile->optimizer), "fusebox/sgd:learning_rate=0.05,momentum=0.9,nesterov=true");
  EXPECT_EQ(Print(file.config.compile->loss), "sparse_categorical_crossentropy");
  EXPECT_THAT(file.layers[1].vars[0].shape(), ElementsAre(4, 3));
  EXPECT_TRUE(file.layers[0].vars.empty());
  ASSERT_EQ(file.optimizer_vars.size(), 6u);
  EXPECT_THAT(file.optimizer_vars[0].values<int64_t>(), ElementsAre(4));  // 64 rows in batches of 16.
  EXPECT_THAT(file.optimizer_vars[2].shape(), ElementsAre(4, 3));
  EXPECT_EQ(file.fusebox_metadata, "");
}

TEST(KerasFile, WeightsAloneGoThereAndBack) {
  const TempFolder folder;
  const KerasFile file = Small();
  ASSERT_OK(WriteKerasWeights(folder / "a.weights.h5", {file.layers, file.optimizer_vars}));
  std::vector<WeightGroup> layers = file.layers;
  for (WeightGroup& layer : layers) layer.vars.clear();
  ASSERT_OK_AND_ASSIGN(const KerasWeights back, ReadKerasWeights(folder / "a.weights.h5", layers));
  ExpectEqual(back.layers[2].vars, file.layers[2].vars);
  ExpectEqual(back.optimizer_vars, file.optimizer_vars);
  layers.pop_back();
  EXPECT_THAT(
      ReadKerasWeights(folder / "a.weights.h5", layers),
      StatusHasMessage(HasSubstr(
          "'layers/dense_1/vars/0' belongs to no layer of the model, whose groups are: layers/dense layers/flatten")));
}

TEST(KerasFile, WriterRefusesWhatDoesNotFit) {
  const TempFolder folder;
  KerasFile file = Small();
  file.layers.pop_back();
  EXPECT_THAT(WriteKeras(folder / "a.keras", file), StatusHasMessage(HasSubstr("weights of 3 layers expected, got 2")));
  file = Small();
  file.layers[0].layer_name = "other";
  EXPECT_THAT(WriteKeras(folder / "a.keras", file),
              StatusHasMessage(HasSubstr("weights of layer 'hidden' expected, got those of 'other'")));
  file = Small();
  file.fusebox_metadata = "{";
  EXPECT_THAT(WriteKeras(folder / "a.keras", file),
              StatusHasMessage(HasSubstr("the metadata of a .keras file: not JSON")));
  EXPECT_THAT(folder.Names(), ElementsAre());
}

TEST(KerasFile, DamageIsAnError) {
  const std::string seed = *KerasBytes(Small());
  const auto parse = [](const std::string& bytes) { return ParseKeras(bytes, "f").status(); };
  ExpectTruncationsAreErrors(seed, parse, 7);
  // Checksums cover the content. Of the archive's own fields, times, versions and attributes have no effect.
  EXPECT_LT(CountUndetectedFlips(seed, parse, 37), 60u);
}

std::string With(const std::vector<ZipMember>& members) { return *ZipBytes(members); }

TEST(KerasFile, SaysWhatIsWrong) {
  const std::string config = KerasConfigJson(Small().config);
  const std::string weights = *KerasWeightsBytes({Small().layers, {}});
  const auto dataset = [](const char* name) { return *Hdf5Bytes({{name, Floats({1}, 1)}}); };
  const std::pair<std::string, const char*> cases[] = {
      {"hello", "'m.keras': no zip archive, or cut or damaged"},
      {With({{"a.txt", "x"}}), "'m.keras': a .keras file has no member 'a.txt'"},
      {With({{"model.weights.npz", "x"}}),
       "'m.keras': its weights are model.weights.npz, Python objects that Keras writes where h5py is missing"},
      {With({{"model.weights.h5", weights}}), "'m.keras': not a .keras file: its member 'config.json' is missing"},
      {With({{"config.json", config}}), "'m.keras': not a .keras file: its member 'model.weights.h5' is missing"},
      {With({{"config.json", "{"}, {"model.weights.h5", weights}}), "'m.keras': config.json: not JSON"},
      {With({{"config.json", config}, {"model.weights.h5", "x"}}), "'m.keras': model.weights.h5: not an HDF5 file"},
      {With({{"config.json", config}, {"model.weights.h5", weights}, {"metadata.json", "["}}),
       "'m.keras': metadata.json: not JSON"},
      {With({{"config.json", config}, {"model.weights.h5", dataset("layers/hidden/vars/0")}}),
       "'m.keras': model.weights.h5: 'layers/hidden/vars/0' belongs to no layer of the model, whose groups are: "
       "layers/dense layers/flatten layers/dense_1"},
      {With({{"config.json", config}, {"model.weights.h5", dataset("layers/dense/vars/1")}}),
       "'m.keras': model.weights.h5: 'layers/dense/vars/0' is missing"},
      {With({{"config.json", config}, {"model.weights.h5", dataset("layers/dense/vars/01")}}), "belongs to no layer"}};
  for (const auto& [bytes, message] : cases)
    EXPECT_THAT(ParseKeras(bytes, "'m.keras'"), StatusHasMessage(HasSubstr(message)));
  EXPECT_THAT(ReadKeras("none.keras"), StatusHasMessage("'none.keras': cannot open: No such file or directory"));
}

TEST(KerasFile, MissingMetadataIsFine) {
  const std::string bytes = With({{"config.json", KerasConfigJson(Small().config)},
                                  {"model.weights.h5", *KerasWeightsBytes({Small().layers, {}})}});
  EXPECT_EQ(ParseKeras(bytes, "f")->fusebox_metadata, "");
}

}  // namespace
}  // namespace fusebox
