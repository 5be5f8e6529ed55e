// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/programs/program_memo.h"

#include "fusebox/graph/text.h"
#include "fusebox/runtime/model/model_impl.h"
#include "fusebox/runtime/sequential.h"
#include "tests/support/status.h"

namespace fusebox::testing {
namespace {

using ::testing::HasSubstr;

Sequential Classifier(const char* optimizer = "sgd") {
  Sequential model({Dense(3, "relu", {.input_shape = {2}}), Dense(4, "softmax")}, {.seed = 1});
  EXPECT_OK(model.Compile({.optimizer = optimizer, .loss = "sparse_categorical_crossentropy"}));
  return model;
}

BatchTypes Types(DType x = DType::kF32) { return {.x = {{x, {-1, 2}}}, .y = {{DType::kI32, {-1}}}}; }

TEST(ProgramMemo, BuildsEachProgramOnce) {
  const ModelConfig model = Classifier().config();
  ProgramMemo memo;
  ASSERT_OK_AND_ASSIGN(const auto training, memo.Get(ProgramKind::kTraining, model, Types(), {}));
  ASSERT_OK_AND_ASSIGN(const auto evaluation, memo.Get(ProgramKind::kEvaluation, model, Types(), {}));
  EXPECT_NE(Print(*training), Print(*evaluation));
  ASSERT_OK_AND_ASSIGN(const auto again, memo.Get(ProgramKind::kTraining, model, Types(), {}));
  EXPECT_EQ(again, training);
  EXPECT_EQ(memo.built(), 2);
  ASSERT_OK(memo.Get(ProgramKind::kTraining, model, Types(DType::kU8), {}));
  EXPECT_EQ(memo.built(), 3);
  memo.Clear();
  ASSERT_OK(memo.Get(ProgramKind::kTraining, model, Types(), {}));
  EXPECT_EQ(memo.built(), 4);
}

TEST(ProgramMemo, SeesEveryChangeOfTheDescription) {
  ModelConfig model = Classifier().config();
  ProgramMemo memo;
  ASSERT_OK(memo.Get(ProgramKind::kTraining, model, Types(), {}));
  const auto builds = [&] {
    const int64_t before = memo.built();
    EXPECT_OK(memo.Get(ProgramKind::kTraining, model, Types(), {}));
    return memo.built() - before;
  };
  EXPECT_EQ(builds(), 0);
  model.compile->optimizer.attributes["learning_rate"] = 0.25;
  EXPECT_EQ(builds(), 1);
  model.layers[0].trainable = false;
  EXPECT_EQ(builds(), 1);
  model.layers[1].item.attributes["activation"] = std::string("sigmoid");
  EXPECT_EQ(builds(), 1);
  model.layers[1].name = "last";
  EXPECT_EQ(builds(), 1);
  EXPECT_EQ(builds(), 0);
}

// Two layers alike and one layer at two places have the same description, but not the same program.
TEST(ProgramMemo, SeesWhichLayersAreOne) {
  ModelConfig model = Classifier().config();
  model.layers[1].item = model.layers[0].item;
  model.compile.reset();
  model.inputs[0].shape = {3};
  const BatchTypes types = {.x = {{DType::kF32, {-1, 3}}}, .y = {}};
  ProgramMemo memo;
  ASSERT_OK_AND_ASSIGN(const auto two, memo.Get(ProgramKind::kPrediction, model, types, {}));
  model.layers[1].variables = model.layers[0].variables;
  ASSERT_OK_AND_ASSIGN(const auto one, memo.Get(ProgramKind::kPrediction, model, types, {}));
  EXPECT_EQ(memo.built(), 2);
  EXPECT_NE(Print(*one), Print(*two));
}

TEST(ProgramMemo, KeepsNoError) {
  ModelConfig model = Classifier().config();
  model.compile.reset();
  ProgramMemo memo;
  for (int i = 1; i <= 2; ++i) {
    EXPECT_THAT(memo.Get(ProgramKind::kTraining, model, Types(), {}),
                StatusHasMessage(HasSubstr("is not compiled: it has no loss")));
    EXPECT_EQ(memo.built(), i);
  }
}

// The kinds are three; of data that are not the usual ones the programs are others.
TEST(ProgramMemo, CompileAndFitWithValidationBuildThreeGraphs) {
  Sequential model = Classifier();
  const Tensor x(DType::kF32, {8, 2}), y(DType::kI32, {8});
  ASSERT_OK(model.Fit(x, y, {.validation_split = 0.25, .verbose = 0}));
  EXPECT_EQ(Model::Impl::Of(model).program_memo.built(), 3);
  ASSERT_OK(model.Fit(x, y, {.batch_size = 3, .validation_split = 0.25, .verbose = 0}));
  ASSERT_OK(model.Evaluate(x, y));
  ASSERT_OK(model.Predict(x));
  EXPECT_EQ(Model::Impl::Of(model).program_memo.built(), 3);
}

}  // namespace
}  // namespace fusebox::testing
