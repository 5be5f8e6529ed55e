// SPDX-License-Identifier: Apache-2.0
// Files and data that ask for more memory than there is, or than they can need, are errors with a message.
#include <fstream>

#include "fusebox/runtime/data/out_of_memory.h"
#include "fusebox/runtime/files/zip_archive.h"
#include "fusebox/runtime/predictor.h"
#include "fusebox/runtime/sequential.h"
#include "gmock/gmock.h"
#include "tests/runtime/files/files.h"
#include "tests/support/status.h"

namespace fusebox::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;

// The members of a saved model.
std::vector<ZipMember> MembersOf(const std::string& path) { return *ReadZip(Slurp(path), path); }

TEST(Memory, AnArrayThatNoMemoryHoldsSaysHowLargeItIs) {
  constexpr int64_t kHuge = int64_t{1} << 40;
  const auto message = [](std::vector<int64_t> shape) -> std::string {
    try {
      const Tensor tensor(DType::kF32, std::move(shape));
    } catch (const OutOfMemory& e) {
      return e.what();
    }
    return "";
  };
  EXPECT_EQ(message({kHuge, 64}), "no memory for 281474976710656 bytes of f32[1099511627776,64]");
  EXPECT_EQ(message({kHuge, kHuge}), "no memory for 2^63 or more bytes of f32[1099511627776,1099511627776]");
  EXPECT_EQ(message({kHuge, 0, kHuge}), "");
}

// A config of a few hundred bytes names a layer of 10^9 units. The file's weights are compared with it first.
TEST(Memory, ShapesAreComparedBeforeWeightsAreMade) {
  const TempFolder folder;
  Sequential model({Dense(3, {.name = "d", .input_shape = {4}})});
  ASSERT_OK(model.Save(folder / "m.keras"));
  std::vector<ZipMember> members = MembersOf(folder / "m.keras");
  for (ZipMember& member : members) {
    const size_t units = member.bytes.find("\"units\":");
    if (member.name != "config.json" || units == std::string::npos) continue;
    const size_t digit = member.bytes.find('3', units);
    member.bytes.replace(digit, 1, "1000000000");
  }
  Spill(folder / "huge.keras", *ZipBytes(members));
  EXPECT_THAT(LoadModel(folder / "huge.keras").status(),
              StatusHasMessage(HasSubstr("huge.keras': 'd/kernel': expected the shape [4,1000000000], got [4,3]")));
  Sequential huge({Dense(1'000'000'000, {.name = "d", .input_shape = {4}})});
  ASSERT_OK(model.SaveWeights(folder / "w.weights.h5"));
  EXPECT_THAT(huge.LoadWeights(folder / "w.weights.h5"),
              StatusHasMessage(HasSubstr("'d/kernel': expected the shape [4,1000000000], got [4,3]")));
}

TEST(Memory, ResultsThatDoNotFitAreAnError) {
  Sequential model({RepeatVector(1'000'000'000'000, {.input_shape = {4}})});
  const Tensor x(DType::kF32, {16, 4});
  const auto no_memory = StatusHasMessage(MatchesRegex("no memory for [0-9]+ bytes of f32\\[16,1000000000000,4\\]"));
  EXPECT_THAT(model.Predict(x).status(), no_memory);
  EXPECT_TRUE(absl::IsResourceExhausted(model.Predict(x).status()));
  ASSERT_OK_AND_ASSIGN(const Predictor predictor, model.MakePredictor());
  EXPECT_THAT(predictor.Predict(x).status(), no_memory);
  EXPECT_THAT(predictor.Predict(x).status(), no_memory);  // The program is given back.
}

// What is not asked for is not unpacked, so it may be anything.
TEST(Memory, AssetsAreNotLookedInto) {
  const TempFolder folder;
  Sequential model({Dense(3, {.input_shape = {4}})});
  ASSERT_OK(model.Save(folder / "m.keras"));
  std::vector<ZipMember> members = MembersOf(folder / "m.keras");
  members.push_back({"assets/a", "a text to be damaged"});
  std::string bytes = *ZipBytes(members);
  const size_t at = bytes.find("to be damaged");
  bytes[at] = 'x';
  Spill(folder / "odd.keras", bytes);
  EXPECT_OK(LoadModel(folder / "odd.keras"));
  EXPECT_FALSE(ReadZip(bytes, "odd").ok());
}

}  // namespace
}  // namespace fusebox::testing
