// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/files/idx.h"

#include <zlib.h>

#include "fusebox/runtime/files/gzip.h"
#include "tests/runtime/files/files.h"

namespace fusebox {
namespace {

using ::fusebox::testing::CountUndetectedFlips;
using ::fusebox::testing::ExpectTruncationsAreErrors;
using ::fusebox::testing::Spill;
using ::fusebox::testing::StatusHasMessage;
using ::fusebox::testing::TempFolder;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string Gzip(const std::string& bytes) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, 9, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string packed(deflateBound(&stream, bytes.size()) + 32, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = uInt(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = uInt(packed.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

std::string Big(uint32_t value) {
  return {char(value >> 24), char(value >> 16 & 0xff), char(value >> 8 & 0xff), char(value & 0xff)};
}

std::string Idx(uint8_t type, const std::vector<uint32_t>& dims, const std::string& data) {
  std::string bytes = {0, 0, char(type), char(dims.size())};
  for (const uint32_t dim : dims) bytes += Big(dim);
  return bytes + data;
}

TEST(Idx, ReadsEveryType) {
  EXPECT_THAT(ParseIdx(Idx(8, {2, 2}, "\x01\x02\x03\xff"), "f")->values<uint8_t>(), ElementsAre(1, 2, 3, 255));
  EXPECT_THAT(ParseIdx(Idx(9, {2}, "\x01\xff"), "f")->values<int32_t>(), ElementsAre(1, -1));
  EXPECT_THAT(ParseIdx(Idx(0x0b, {1}, "\x01\x02"), "f")->values<int32_t>(), ElementsAre(0x0102));
  EXPECT_THAT(ParseIdx(Idx(0x0c, {1}, "\x01\x02\x03\x04"), "f")->values<int32_t>(), ElementsAre(0x01020304));
  EXPECT_THAT(ParseIdx(Idx(0x0d, {1}, std::string("\x3f\x80\x00\x00", 4)), "f")->values<float>(), ElementsAre(1));
  EXPECT_THAT(ParseIdx(Idx(0x0e, {1}, std::string("\xbf\xf0\0\0\0\0\0\0", 8)), "f")->values<double>(), ElementsAre(-1));
  EXPECT_THAT(ParseIdx(Idx(8, {0, 28}, ""), "f")->shape(), ElementsAre(0, 28));
}

TEST(Idx, ReadsGzippedFiles) {
  const TempFolder folder;
  const std::string image(28 * 28, 'x');
  Spill(folder / "t.gz", Gzip(Idx(8, {1, 28, 28}, image)));
  ASSERT_OK_AND_ASSIGN(const Tensor tensor, ReadIdx(folder / "t.gz"));
  EXPECT_THAT(tensor.shape(), ElementsAre(1, 28, 28));
  // Two concatenated members form one content.
  EXPECT_OK(ParseIdx(Gzip(Idx(8, {4}, "ab")) + Gzip("cd"), "f"));
}

TEST(Idx, NamesTheBytesExpectedAndFound) {
  const std::string whole = Idx(8, {60000, 28, 28}, std::string(1000, 'x'));
  EXPECT_THAT(ParseIdx(whole, "'t'"),
              StatusHasMessage("'t': truncated: u8[60000,28,28] needs 47040016 bytes, found 1016"));
  EXPECT_THAT(ParseIdx(Gzip(whole), "'t'"),
              StatusHasMessage("'t': truncated: u8[60000,28,28] needs 47040016 bytes, found 1016"));
  const std::string packed = Gzip(Idx(8, {4}, "abcd"));
  EXPECT_THAT(ParseIdx(packed.substr(0, packed.size() - 4), "'t'"),
              StatusHasMessage("'t': the gzip stream is truncated"));
  EXPECT_THAT(ParseIdx(packed.substr(0, 14), "'t'"), StatusHasMessage(HasSubstr("(the gzip stream is truncated)")));
  EXPECT_THAT(ParseIdx(Idx(8, {2}, "abc"), "'t'"), StatusHasMessage("'t': too long: u8[2] needs 10 bytes, found 11"));
  EXPECT_THAT(ParseIdx(Gzip(Idx(8, {2}, "abc")), "'t'"),
              StatusHasMessage("'t': too long: u8[2] needs 10 bytes, found more"));
  EXPECT_THAT(ParseIdx("epoch,loss\n", "'t'"),
              StatusHasMessage(HasSubstr("'t': not an IDX file: it starts with 65706f63")));
  EXPECT_THAT(ReadIdx("none.gz"), StatusHasMessage("'none.gz': cannot open: No such file or directory"));
}

TEST(Idx, RefusesShapesBeforeTakingMemory) {
  EXPECT_THAT(ParseIdx(Idx(8, {0xffffffff, 0xffffffff, 0xffffffff}, ""), "f"),
              StatusHasMessage(HasSubstr("too large to be read")));
  EXPECT_THAT(ParseIdx(Idx(0x0e, {65536, 65536}, ""), "f"), StatusHasMessage(HasSubstr("too large to be read")));
  EXPECT_THAT(ParseIdx(Idx(8, {65536, 65536}, ""), "f"),
              StatusHasMessage(HasSubstr("needs 4294967308 bytes, found 12")));
}

TEST(Idx, UnpacksNoMoreThanAsked) {
  const std::string packed = Gzip(std::string(50'000'000, '\0'));
  EXPECT_EQ(Gunzip(packed, 1000).bytes.size(), 1000u);
  EXPECT_EQ(Gunzip(packed, 1000).problem, "");
}

TEST(Idx, SurvivesDamage) {
  const auto parse = [](const std::string& bytes) { return ParseIdx(bytes, "f").status(); };
  const std::string plain = Idx(0x0c, {2, 3}, std::string(24, 'x'));
  ExpectTruncationsAreErrors(plain, parse);
  EXPECT_GE(CountUndetectedFlips(plain, parse), 24u * 8);
  const std::string packed = Gzip(plain);
  ExpectTruncationsAreErrors(packed, parse);
  // In the gzip header, the time, the system and a hint have no effect, and flags may add empty fields.
  EXPECT_LE(CountUndetectedFlips(packed, parse), 60u);
}

}  // namespace
}  // namespace fusebox
