// SPDX-License-Identifier: Apache-2.0
// A model whose plugin is missing works with the symbols that it has stored.
#include "fusebox/runtime/expand/kept_symbols.h"

#include "fusebox/graph/text.h"
#include "fusebox/plugins/sdk/plugin_abi.h"
#include "fusebox/runtime/expand/host_builder.h"
#include "fusebox/runtime/sequential.h"
#include "gmock/gmock.h"

namespace fusebox {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const ItemSpec kScale = {"acme/scale@1", {{"start", 2.0}}};

// y = x s + offset, with a weight s [2] that begins at 0 and a scalar offset, as a plugin "acme/scale" might write it.
std::string ScaleText() {
  HostBuilder b;
  const Value x = b.Input("0", {DType::kF32, {-1, 2}});
  const Value s = b.State("s", FB_WEIGHT, {DType::kF32, {2}}, "zeros", true);
  const Value offset = b.State("offset", FB_SCALAR, {DType::kF32, {}}, "2", false);
  b.Output("y", x * s + offset);
  EXPECT_TRUE(b.status().ok()) << b.status();
  return Print(b.graph());
}

ModelConfig ScaleModel() {
  ModelConfig config{.name = "scale", .inputs = {{.name = "in", .shape = {2}}}, .layers = {}, .compile = {}};
  config.layers = {{.item = kScale, .name = "scale"}};
  config.compile = CompileConfig{{"sgd", {{"learning_rate", 0.5}}}, {"mean_squared_error", {}}, {}};
  return config;
}

Expansions ScaleExpansions() {
  const Type x{DType::kF32, {-1, 2}};
  Expansions kept;
  for (const bool training : {false, true}) kept.texts[ExpansionKey({FB_LAYER, kScale, training}, {x})] = ScaleText();
  return kept;
}

TEST(Expansions, KeysTellItemAttributesAndTypes) {
  EXPECT_EQ(ExpansionKey({FB_LAYER, kScale, true}, {{DType::kF32, {-1, 2}}}),
            "layer acme/scale@1:start=2.0 training (f32[N,2])");
}

TEST(Expansions, WithoutOneTheLayerIsUnknown) {
  const absl::StatusOr<Sequential> model = Sequential::FromConfig(ScaleModel());
  EXPECT_THAT(std::string(model.status().message()), HasSubstr("unknown layer 'acme/scale@1'"));
}

TEST(Expansions, NamesAreThoseOfTheLayer) {
  const absl::StatusOr<Sequential> model = Sequential::FromConfig(ScaleModel(), ScaleExpansions());
  ASSERT_TRUE(model.ok()) << model.status();
  const absl::StatusOr<Graph> graph = model->Program(ProgramKind::kTraining);
  ASSERT_TRUE(graph.ok()) << graph.status();
  EXPECT_NE(graph->FindNamed(Op::kState, "scale/s"), 0u);
  EXPECT_NE(graph->update_of(graph->FindNamed(Op::kState, "scale/s")), 0u);
}

// Stored symbols do not handle masks, so a mask must cause an error instead of being dropped.
TEST(Expansions, NeedTheirPluginWhereThereAreMasks) {
  ModelConfig config = ScaleModel();
  config.layers.insert(config.layers.begin(), {.item = {"masking", {}}, .name = "masking"});
  const absl::StatusOr<Sequential> model = Sequential::FromConfig(config, ScaleExpansions());
  EXPECT_THAT(
      std::string(model.status().message()),
      HasSubstr("'scale': the symbols stored for acme/scale@1 know of no masks, and an input has one: its plugin "
                "is needed"));
}

TEST(Expansions, PredictsTrainsSavesAndOpens) {
  absl::StatusOr<Sequential> model = Sequential::FromConfig(ScaleModel(), ScaleExpansions());
  ASSERT_TRUE(model.ok()) << model.status();
  const float x[] = {1, 3, 2, 4};
  const Tensor input = Tensor::Borrow(DType::kF32, {2, 2}, x);
  absl::StatusOr<Tensor> y = model->Predict(input);
  ASSERT_TRUE(y.ok()) << y.status();
  EXPECT_THAT(y->values<float>(), ElementsAre(2, 2, 2, 2));
  ASSERT_TRUE(model->Fit(input, input, {.epochs = 3, .verbose = 0}).ok());
  y = model->Predict(input);
  EXPECT_NE(y->values<float>()[0], 2);

  const std::string path = ::testing::TempDir() + "scale.keras";
  const absl::Status saved = model->Save(path);
  ASSERT_TRUE(saved.ok()) << saved;
  absl::StatusOr<Sequential> again = LoadModel(path);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_TRUE(std::ranges::equal(again->Predict(input)->values<float>(), y->values<float>()));
}

}  // namespace
}  // namespace fusebox
