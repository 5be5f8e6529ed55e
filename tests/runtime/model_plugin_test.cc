// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/model_plugin.h"

#include "fusebox/graph/text.h"
#include "fusebox/runtime/plugins/objects.h"
#include "gmock/gmock.h"

namespace fusebox {
namespace {

TEST(ModelPlugin, TextBringsTheModelBack) {
  Sequential model({Dense(3, "relu", {.name = "first", .input_shape = {4}}), Dense(2, "softmax")}, {.name = "net"});
  ASSERT_TRUE(
      model
          .Compile(
              {.optimizer = "sgd:momentum=0.5", .loss = "sparse_categorical_crossentropy", .metrics = {"accuracy"}})
          .ok());
  const absl::StatusOr<ModelText> text = DescribeModel(model);
  ASSERT_TRUE(text.ok()) << text.status();
  EXPECT_TRUE(Parse(text->program).ok());
  const absl::StatusOr<Sequential> again = ModelFromText(text->config, "test");
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->config(), model.config());
}

TEST(ModelPlugin, TheExampleIsKnownById) {
  const absl::StatusOr<ModelBytes> bytes = BuildModel(Registry::Default(), "fashion_mnist_mlp", {}, HeadersId());
  ASSERT_TRUE(bytes.ok()) << bytes.status();
  const absl::StatusOr<Sequential> model = ModelFromText(bytes->config, "fashion_mnist_mlp");
  ASSERT_TRUE(model.ok()) << model.status();
  EXPECT_EQ(model->config().name, "fashion_mnist_mlp");
  EXPECT_EQ(model->CountParams(), 266610);
  EXPECT_TRUE(Parse(bytes->program).ok());
}

TEST(ModelPlugin, LibrariesOfAnotherBuildAreRefused) {
  const auto refused = BuildModel(Registry::Default(), "fashion_mnist_mlp", {}, "another build");
  EXPECT_THAT(std::string(refused.status().message()), ::testing::HasSubstr("build it again"));
}

}  // namespace
}  // namespace fusebox
