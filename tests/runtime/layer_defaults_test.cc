// SPDX-License-Identifier: Apache-2.0
// Keras's defaults stand twice: in the schemas of the plugins, and in the options of the C++ functions. They are the same.
#include <fstream>
#include <map>
#include <regex>
#include <set>

#include "fusebox/plugins/sdk/plugin_abi.h"
#include "fusebox/runtime/layers.h"
#include "fusebox/runtime/plugins/registry.h"
#include "gmock/gmock.h"
#include "tests/support/status.h"

namespace fusebox {
namespace {

// What a function of layers.h or preprocessing_layers.h makes of its required arguments, and their names in the schema.
struct Made {
  Layer layer;
  std::set<std::string> given = {};
};

std::multimap<std::string, Made> AllLayers() {
  return {
      {"Dense", {Dense(3), {"units"}}},
      {"Activation", {Activation("relu"), {"activation"}}},
      {"Dropout", {Dropout(0.5), {"rate"}}},
      {"BatchNormalization", {BatchNormalization()}},
      {"Flatten", {Flatten()}},
      {"Rescaling", {Rescaling(2), {"scale"}}},
      {"Embedding", {Embedding(5, 3), {"input_dim", "output_dim"}}},
      {"Identity", {Identity()}},
      {"ActivityRegularization", {ActivityRegularization()}},
      {"Masking", {Masking()}},
      {"TimeDistributed", {TimeDistributed(Dense(3)), {"layer"}}},
      {"Concatenate", {Concatenate()}},
      {"Add", {Add()}},
      {"Subtract", {Subtract()}},
      {"Multiply", {Multiply()}},
      {"Average", {Average()}},
      {"Maximum", {Maximum()}},
      {"Minimum", {Minimum()}},
      {"Dot", {Dot({1}), {"axes"}}},
      {"ReLU", {ReLU()}},
      {"LeakyReLU", {LeakyReLU()}},
      {"ELU", {ELU()}},
      {"PReLU", {PReLU()}},
      {"Softmax", {Softmax()}},
      {"LayerNormalization", {LayerNormalization()}},
      {"GroupNormalization", {GroupNormalization()}},
      {"RMSNormalization", {RMSNormalization()}},
      {"UnitNormalization", {UnitNormalization()}},
      {"AlphaDropout", {AlphaDropout(0.5), {"rate"}}},
      {"SpatialDropout1D", {SpatialDropout1D(0.5), {"rate"}}},
      {"GaussianDropout", {GaussianDropout(0.5), {"rate"}}},
      {"GaussianNoise", {GaussianNoise(0.5), {"stddev"}}},
      {"Reshape", {Reshape({2, 3}), {"target_shape"}}},
      {"Permute", {Permute({2, 1}), {"dims"}}},
      {"RepeatVector", {RepeatVector(2), {"n"}}},
      {"Normalization", {Normalization()}},
      {"Discretization", {Discretization(std::vector<double>{1, 2}), {"bin_boundaries"}}},
      {"Discretization", {Discretization(4), {"num_bins"}}},
      {"CategoryEncoding", {CategoryEncoding(4), {"num_tokens"}}},
  };
}

TEST(LayerDefaults, AreThoseOfTheSchemas) {
  for (const auto& [name, made] : AllLayers()) {
    const ItemSpec& item = made.layer.config().item;
    ItemSpec least{item.id, {}};
    for (const std::string& attribute : made.given) {
      ASSERT_TRUE(item.attributes.contains(attribute)) << name << " does not set " << attribute;
      least.attributes[attribute] = item.attributes.at(attribute);
    }
    ASSERT_OK_AND_ASSIGN(const ItemSpec by_function, Registry::Default().Resolve(FB_LAYER, item));
    ASSERT_OK_AND_ASSIGN(const ItemSpec by_schema, Registry::Default().Resolve(FB_LAYER, least));
    EXPECT_EQ(Print(by_function), Print(by_schema)) << name;
    EXPECT_TRUE(made.layer.config().trainable) << name;
  }
}

TEST(LayerDefaults, AreComparedForEveryFunction) {
  std::set<std::string> declared, compared = {"LayerList", "Lambda"};  // These two are no plugins' items.
  const std::regex function(R"(^(?:Layer|\w+Layer) (\w+)\()");
  for (const char* header : {"layers.h", "preprocessing_layers.h"}) {
    std::ifstream file(std::string(FUSEBOX_SOURCE_DIR "/runtime/") + header);
    ASSERT_TRUE(file.is_open()) << header;
    std::smatch match;
    for (std::string line; std::getline(file, line);) {
      if (std::regex_search(line, match, function)) declared.insert(match[1]);
    }
  }
  for (const auto& [name, made] : AllLayers()) compared.insert(name);
  declared.erase("MakeLambda");
  EXPECT_GT(declared.size(), 30u);
  for (const std::string& name : declared) EXPECT_TRUE(compared.contains(name)) << name;
}

}  // namespace
}  // namespace fusebox
