// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/programs/program.h"

#include <map>

#include "fusebox/compiler/compiler.h"
#include "fusebox/graph/text.h"
#include "fusebox/runtime/keras/program_facts.h"
#include "fusebox/runtime/sequential.h"
#include "gmock/gmock.h"

namespace fusebox {
namespace {

using ::testing::HasSubstr;

Sequential SmallModel(const char* optimizer = "sgd") {
  Sequential model({Dense(3, "relu", {.input_shape = {2}}), Dense(4, "softmax")});
  EXPECT_TRUE(
      model.Compile({.optimizer = optimizer, .loss = "sparse_categorical_crossentropy", .metrics = {"accuracy"}}).ok());
  return model;
}

TEST(Program, TrainingUpdatesWeightsAccumulatorsAndTheStep) {
  const absl::StatusOr<Graph> graph = SmallModel().Program(ProgramKind::kTraining);
  ASSERT_TRUE(graph.ok()) << graph.status();
  for (const char* state : {"dense/kernel", "dense/bias", "dense_1/kernel", "dense_1/bias", "step", "loss/total",
                            "loss/count", "metrics/accuracy/total", "metrics/accuracy/count"}) {
    const NodeId id = graph->FindNamed(Op::kState, state);
    ASSERT_NE(id, 0u) << state;
    EXPECT_NE(graph->update_of(id), 0u) << state;
  }
  const NodeId rate = graph->FindNamed(Op::kState, "optimizer/learning_rate");
  ASSERT_NE(rate, 0u);
  EXPECT_EQ((*graph)[rate].attributes.String("kind"), "scalar");
  EXPECT_EQ((*graph)[rate].attributes.String("initializer"), "0.01");
  EXPECT_EQ(graph->update_of(rate), 0u);
  ASSERT_EQ(graph->outputs().size(), 2u);
  EXPECT_EQ(graph->outputs()[0].name, "loss");
  EXPECT_EQ(graph->outputs()[1].name, "accuracy");
  EXPECT_EQ((*graph)[graph->FindNamed(Op::kRows, "x")].type, (Type{DType::kF32, {-1, 2}}));
  EXPECT_EQ((*graph)[graph->FindNamed(Op::kRows, "y")].type, (Type{DType::kI32, {-1}}));
}

// One kernel gathers, casts and rescales pixels: nothing else reads them, and no other f32 value has their size.
TEST(Program, ReadsPixelsWhereTheyLie) {
  Sequential model({Rescaling(1.0 / 255, {.input_shape = {28, 28}}), Flatten(), Dense(3, "softmax")});
  ASSERT_TRUE(model.Compile({.optimizer = "sgd", .loss = "sparse_categorical_crossentropy"}).ok());
  constexpr double kBatchSize = 32, kPixels = kBatchSize * 784;
  std::map<DType, double> bytes_read;
  for (const DType dtype : {DType::kU8, DType::kF32}) {
    const absl::StatusOr<Graph> graph = model.Program(ProgramKind::kTraining, dtype);
    ASSERT_TRUE(graph.ok()) << graph.status();
    EXPECT_EQ((*graph)[graph->FindNamed(Op::kRows, "x")].type, (Type{dtype, {-1, 28, 28}}));
    CompileOptions options{.row_capacity = int64_t(kBatchSize)};
    std::string fused;
    options.dump = [&](std::string_view stage, const std::string& text) {
      if (stage == "fused") fused = text;
    };
    const absl::StatusOr<Executable> program = Compile(*graph, options);
    ASSERT_TRUE(program.ok()) << program.status();
    int readers = 0;
    for (const KernelReport& kernel : program->report().kernels) {
      if (kernel.shape != "[N,28,28]") continue;
      ++readers;
      // The bytes that it stores, and the order of the rows.
      bytes_read[dtype] = kernel.bytes - 4 * kPixels - 4 * kBatchSize;
      std::vector<std::string> operations = {"rows", "multiply"};  // An offset of 0 is gone.
      if (dtype == DType::kU8) operations.insert(operations.begin() + 1, "cast");
      EXPECT_EQ(kernel.operations, operations);
    }
    EXPECT_EQ(readers, 1) << fused;
    size_t stored = 0;
    for (size_t at = 0; (at = fused.find("f32[N,28,28]  # stored", at)) != std::string::npos; ++at) ++stored;
    EXPECT_EQ(stored, 1u) << fused;
    EXPECT_EQ(fused.find("u8[N,784]"), std::string::npos) << fused;
  }
  EXPECT_EQ(bytes_read[DType::kU8], kPixels);
  EXPECT_EQ(bytes_read[DType::kF32], 4 * kPixels);
}

TEST(Program, MomentumIsAScalarOfTheProgram) {
  const absl::StatusOr<Graph> graph = SmallModel("sgd:learning_rate=0.5,momentum=0.9").Program(ProgramKind::kTraining);
  ASSERT_TRUE(graph.ok()) << graph.status();
  const NodeId momentum = graph->FindNamed(Op::kState, "optimizer/momentum");
  ASSERT_NE(momentum, 0u);
  EXPECT_EQ((*graph)[momentum].attributes.String("initializer"), "0.9");
  // One scalar for all weights; each weight has its own slot.
  EXPECT_NE(graph->FindNamed(Op::kState, "optimizer/dense/kernel/momentum"), 0u);
  EXPECT_NE(graph->FindNamed(Op::kState, "optimizer/dense_1/bias/momentum"), 0u);
}

TEST(Program, PredictionUpdatesNothing) {
  const absl::StatusOr<Graph> graph = SmallModel().Program(ProgramKind::kPrediction);
  ASSERT_TRUE(graph.ok()) << graph.status();
  EXPECT_TRUE(graph->updates().empty());
  ASSERT_EQ(graph->outputs().size(), 1u);
  EXPECT_EQ((*graph)[graph->outputs()[0].value].type, (Type{DType::kF32, {-1, 4}}));
}

TEST(Program, FrozenLayersAreNotTrained) {
  Sequential model({Dense(3, {.input_shape = {2}, .trainable = false}), Dense(1)});
  ASSERT_TRUE(model.Compile({.optimizer = "sgd", .loss = "mean_squared_error"}).ok());
  const absl::StatusOr<Graph> graph = model.Program(ProgramKind::kTraining);
  ASSERT_TRUE(graph.ok()) << graph.status();
  EXPECT_EQ(graph->update_of(graph->FindNamed(Op::kState, "dense/kernel")), 0u);
  EXPECT_NE(graph->update_of(graph->FindNamed(Op::kState, "dense_1/kernel")), 0u);
}

TEST(Program, TextTellsTheModelBehindIt) {
  const Sequential model = SmallModel("sgd:momentum=0.5");
  const absl::StatusOr<Graph> graph = model.Program(ProgramKind::kTraining);
  ASSERT_TRUE(graph.ok()) << graph.status();
  const std::string text = Print(*graph);
  const absl::StatusOr<Graph> again = Parse(text);
  ASSERT_TRUE(again.ok()) << again.status() << text;
  EXPECT_EQ(Print(*again), text);
  const absl::StatusOr<ModelConfig> config = ReadFacts(*again);
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(*config, model.config());
  EXPECT_THAT(text, HasSubstr("plugin.fusebox/layers"));
}

TEST(Program, WithoutALossThereIsNoTraining) {
  const Sequential model({Dense(3, {.input_shape = {2}})});
  EXPECT_THAT(std::string(model.Program(ProgramKind::kTraining).status().message()), HasSubstr("it has no loss"));
}

}  // namespace
}  // namespace fusebox
