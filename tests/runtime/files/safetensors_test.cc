// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/files/safetensors.h"

#include "tests/runtime/files/files.h"

namespace fusebox {
namespace {

using ::fusebox::testing::CountUndetectedFlips;
using ::fusebox::testing::ExpectTruncationsAreErrors;
using ::fusebox::testing::StatusHasMessage;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string File(const std::string& header, const std::string& data) {
  std::string bytes(8, '\0');
  bytes[0] = char(header.size() & 0xff);
  bytes[1] = char(header.size() >> 8);
  return bytes + header + data;
}

TEST(Safetensors, ReadsWhatItWrites) {
  const std::vector<float> values = {1, 2, 3};
  const std::vector<NamedTensor> tensors = {{"b", Tensor({3}, std::span<const float>(values))},
                                            {"a/ä", Tensor(DType::kI64, {})},
                                            {"empty", Tensor(DType::kU8, {0, 2})}};
  const std::string bytes = SafetensorsBytes(tensors);
  ASSERT_OK_AND_ASSIGN(const std::vector<NamedTensor> back, ParseSafetensors(bytes, "f"));
  ASSERT_EQ(back.size(), 3u);
  EXPECT_EQ(back[0].name, "b");
  EXPECT_THAT(back[0].value.values<float>(), ElementsAre(1, 2, 3));
  EXPECT_EQ(back[1].name, "a/ä");
  EXPECT_EQ(back[1].value.dtype(), DType::kI64);
  EXPECT_THAT(back[2].value.shape(), ElementsAre(0, 2));
  const auto parse = [](const std::string& damaged) { return ParseSafetensors(damaged, "f").status(); };
  ExpectTruncationsAreErrors(bytes, parse);
  EXPECT_GE(CountUndetectedFlips(bytes, parse), 20u * 8);
}

TEST(Safetensors, ReadsOtherFloats) {
  const std::string bytes = File(R"({"__metadata__":{"k":"v"},"h":{"dtype":"F16","shape":[1],"data_offsets":[0,2]},
                                    "b":{"dtype":"BF16","shape":[1],"data_offsets":[2,4]}})",
                                 std::string("\x00\x3c\x80\x3f", 4));
  ASSERT_OK_AND_ASSIGN(const std::vector<NamedTensor> tensors, ParseSafetensors(bytes, "f"));
  EXPECT_THAT(tensors[0].value.values<float>(), ElementsAre(1));
  EXPECT_THAT(tensors[1].value.values<float>(), ElementsAre(1));
}

TEST(Safetensors, SaysWhatIsWrong) {
  const std::pair<std::string, const char*> cases[] = {
      {File("[]", ""), "an object expected as header"},
      {File("{", ""), "f: not JSON"},
      {File(std::string(5000, '[') + std::string(5000, ']'), ""), "JSON of at most 100 levels expected"},
      {File(R"({"a":{"dtype":"F32","shape":[2]}})", ""), "f: tensor 'a': dtype, shape and data_offsets expected"},
      {File(R"({"a":{"dtype":"F12","shape":[2],"data_offsets":[0,8]}})", ""), "unknown dtype F12"},
      {File(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}})", "1234"), "does not take the 4 bytes"},
      {File(R"({"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}})", "1234"), "a shape and two ascending offsets"},
      {File(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}})", "1234"), "a shape and two ascending offsets"},
      {File(R"({"a":{"dtype":"F32","shape":[1.5],"data_offsets":[0,4]}})", "1234"),
       "a shape and two ascending offsets"},
      {File(R"({"a":{"dtype":"U8","shape":[4294967296,4294967296],"data_offsets":[0,0]}})", ""),
       "does not take the 0 bytes"},
      {File(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})", "123"),
       "truncated: 4 bytes of data expected, found 3"},
      {File(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})", "12345"), "4 bytes of data expected, found 5"},
      {File(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})", "12345678"),
       "a tensor expected at offset 0, got one at 4"},
      {File(
           R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}})",
           "123"),
       "a tensor expected at offset 2, got one at 1"},
      {File(
           R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})",
           "1"),
       "its bytes belong to another tensor too"},
      {std::string(8, '\xff'), "a header of at most 100000000 bytes expected"}};
  for (const auto& [bytes, message] : cases)
    EXPECT_THAT(ParseSafetensors(bytes, "f"), StatusHasMessage(HasSubstr(message)));
}

}  // namespace
}  // namespace fusebox
