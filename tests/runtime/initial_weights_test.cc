// SPDX-License-Identifier: Apache-2.0
// Initial weights depend on the seed alone; and weights that do not fit change none.
#include <cfenv>

#include "fusebox/runtime/sequential.h"
#include "gmock/gmock.h"
#include "tests/runtime/files/files.h"
#include "tests/support/status.h"

namespace fusebox::testing {
namespace {

using ::testing::ElementsAreArray;
using ::testing::HasSubstr;

Sequential Model3(int64_t second) {
  return Sequential({Dense(16, {.kernel_initializer = "orthogonal", .input_shape = {7}}),
                     Dense(second, {.kernel_initializer = "he_normal"}), Dense(2)},
                    {.seed = 3});
}

void ExpectSame(const std::vector<Tensor>& a, const std::vector<Tensor>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i) EXPECT_THAT(a[i].values<float>(), ElementsAreArray(b[i].values<float>())) << i;
}

TEST(InitialWeights, DoNotDependOnTheRoundingMode) {
  Sequential usual = Model3(8);
  ASSERT_OK_AND_ASSIGN(const std::vector<Tensor> expected, usual.GetWeights());
  for (const int mode : {FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO}) {
    Sequential model = Model3(8);
    std::fesetround(mode);
    const absl::StatusOr<std::vector<Tensor>> weights = model.GetWeights();
    EXPECT_EQ(std::fegetround(), mode);
    std::fesetround(FE_TONEAREST);
    ASSERT_OK(weights);
    ExpectSame(*weights, expected);
  }
}

// The first layer fits, the second does not.
TEST(LoadWeights, ChangesAllOrNone) {
  const TempFolder folder;
  Sequential other = Model3(9), model = Model3(8);
  ASSERT_OK(other.SaveWeights(folder / "w.weights.h5"));
  ASSERT_OK_AND_ASSIGN(std::vector<Tensor> changed, model.GetWeights());
  for (Tensor& weight : changed) weight.mutable_values<float>()[0] = 7;
  ASSERT_OK(model.SetWeights(changed));
  EXPECT_THAT(model.LoadWeights(folder / "w.weights.h5"), StatusHasMessage(HasSubstr("expected the shape [16,8]")));
  ASSERT_OK_AND_ASSIGN(const std::vector<Tensor> after, model.GetWeights());
  ExpectSame(after, changed);

  std::vector<Tensor> wrong = changed;
  wrong[0] = Tensor(DType::kF32, wrong[0].shape());
  wrong[4] = Tensor(DType::kF32, {1, 1});
  EXPECT_THAT(model.SetWeights(wrong), StatusHasMessage(HasSubstr("expected the shape [8,2], got [1,1]")));
  ASSERT_OK_AND_ASSIGN(const std::vector<Tensor> kept, model.GetWeights());
  ExpectSame(kept, changed);
}

}  // namespace
}  // namespace fusebox::testing
