// SPDX-License-Identifier: Apache-2.0
// Model libraries: found without being loaded, loaded on demand. Uses the one of examples/models.
#include "fusebox/runtime/model_plugin.h"
#include "fusebox/runtime/plugins/objects.h"
#include "tests/plugins/plugins.h"

namespace fusebox {
namespace {

using namespace testing;
using ::testing::EndsWith;
using ::testing::HasSubstr;

const std::string kModel = kBuiltIns + "/fashion_mnist_mlp.so";

TEST(ModelLibrary, IsNotedAndNotLoaded) {
  EXPECT_TRUE(IsModelLibrary(kModel));
  EXPECT_FALSE(IsModelLibrary(kBuiltIns + "/layers.so"));
  EXPECT_FALSE(IsModelLibrary(kBuiltIns + "/missing.so"));
  std::vector<std::string> ids;
  for (const auto& model : BuiltIns().models()) ids.push_back(model.id);
  EXPECT_THAT(ids,
              ::testing::UnorderedElementsAre("auxiliary_output", "bounded_outputs", "fashion_mnist_mlp", "housing_mlp",
                                              "sequential_by_adding", "spirals", "three_regions", "two_moons",
                                              "wide_and_deep", "wide_and_deep_model", "wide_and_deep_two_inputs"));
  for (const auto& library : BuiltIns().libraries()) EXPECT_THAT(library->path, ::testing::Not(EndsWith("_mlp.so")));
}

TEST(ModelLibrary, BuildsByIdPathAndName) {
  for (const std::string& reference : {std::string("fashion_mnist_mlp"), kModel, kModel + ":fashion_mnist_mlp"}) {
    ASSERT_OK_AND_ASSIGN(const ModelBytes bytes, BuildModel(BuiltIns(), reference, {}, HeadersId()));
    EXPECT_THAT(bytes.config, HasSubstr("Sequential"));
    EXPECT_THAT(bytes.program, HasSubstr("matmul"));
  }
}

TEST(ModelLibrary, SaysWhatIsWrong) {
  const auto error = [](const std::string& reference, const ItemAttributes& attributes = {},
                        const char* id = HeadersId()) {
    const auto bytes = BuildModel(BuiltIns(), reference, attributes, id);
    EXPECT_FALSE(bytes.ok());
    return std::string(bytes.status().message());
  };
  EXPECT_EQ(error("fashion_mnist"), "unknown model 'fashion_mnist': did you mean 'fashion_mnist_mlp'?");
  EXPECT_EQ(error(kModel + ":other"), kModel + ": has no model 'other': known are 'fashion_mnist_mlp'");
  EXPECT_EQ(error(kBuiltIns + "/layers.so"), kBuiltIns + "/layers.so: has no model: it is a library of other plugins");
  EXPECT_EQ(error("/missing/model.so"), "/missing/model.so: No such file or directory");
  EXPECT_THAT(error(kModel, {}, "another build"),
              ::testing::StartsWith(kModel + ": was built for libfusebox " + HeadersId() + ", this is another build"));
  EXPECT_THAT(error(kModel, {{"width", int64_t{3}}}), EndsWith(": has no attribute 'width', nor any other"));
}

}  // namespace
}  // namespace fusebox
