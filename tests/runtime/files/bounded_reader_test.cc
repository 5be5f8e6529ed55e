// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/files/bounded_reader.h"

#include <limits>

#include "tests/runtime/files/files.h"

namespace fusebox {
namespace {

using ::fusebox::testing::Spill;
using ::fusebox::testing::StatusHasMessage;
using ::fusebox::testing::TempFolder;
using ::testing::HasSubstr;

TEST(BoundedReader, TakesNumbersInBothOrders) {
  BoundedReader reader("\x01\x02\x03\x04\x05\x06", "f");
  EXPECT_EQ(*reader.TakeUint(2, std::endian::big, "a"), 0x0102u);
  EXPECT_EQ(*reader.TakeUint(4, std::endian::little, "b"), 0x06050403u);
  EXPECT_OK(reader.ExpectEnd());
}

TEST(BoundedReader, SaysWhatIsMissing) {
  BoundedReader reader("abc", "'f.bin'");
  EXPECT_OK(reader.Take(1, "x"));
  EXPECT_THAT(reader.ExpectEnd(), StatusHasMessage("'f.bin': 1 bytes expected, found 3"));
  EXPECT_THAT(reader.Take(4, "the shape"),
              StatusHasMessage("'f.bin': truncated: the shape needs 4 bytes at offset 1, found 2"));
  EXPECT_THAT(reader.Take(std::numeric_limits<uint64_t>::max(), "it"), StatusHasMessage(HasSubstr("truncated")));
}

TEST(BoundedReader, ReadsWholeFiles) {
  const TempFolder folder;
  Spill(folder / "a", "12345");
  EXPECT_EQ(*ReadWholeFile(folder / "a"), "12345");
  EXPECT_THAT(ReadWholeFile(folder / "a", 4), StatusHasMessage(HasSubstr("at most 4 bytes can be read, got 5")));
  EXPECT_TRUE(absl::IsNotFound(ReadWholeFile(folder / "b").status()));
  EXPECT_THAT(ReadWholeFile("no/such.npy"), StatusHasMessage("'no/such.npy': cannot open: No such file or directory"));
  EXPECT_THAT(ReadWholeFile(folder / ""), StatusHasMessage(HasSubstr("a file expected, got a folder")));
  EXPECT_THAT(ReadWholeFile("/dev/zero"), StatusHasMessage(HasSubstr("got a device, pipe or socket")));
}

TEST(BoundedReader, ChecksProducts) {
  using Dims = std::vector<int64_t>;
  EXPECT_EQ(CheckedBytes(Dims{}, 8), 8u);
  EXPECT_EQ(CheckedBytes(Dims{2, 3}, 4), 24u);
  EXPECT_EQ(CheckedBytes(Dims{2, 0, 3}, 4), 0u);
  EXPECT_EQ(CheckedBytes(Dims{-1}, 4), std::nullopt);
  EXPECT_EQ(CheckedBytes(Dims{int64_t{1} << 32, int64_t{1} << 31}, 1), std::nullopt);
  // Overflows before the zero is reached.
  EXPECT_EQ(CheckedBytes(Dims{int64_t{1} << 62, 4, 0}, 1), std::nullopt);
  EXPECT_EQ(CheckedBytes(Dims{0, int64_t{1} << 62, 4}, 1), std::nullopt);
}

}  // namespace
}  // namespace fusebox
