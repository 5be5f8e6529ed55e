// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/files/npz.h"

#include "fusebox/runtime/files/zip_archive.h"
#include "tests/runtime/files/files.h"

namespace fusebox {
namespace {

using ::fusebox::testing::CountUndetectedFlips;
using ::fusebox::testing::DataPath;
using ::fusebox::testing::ExpectTruncationsAreErrors;
using ::fusebox::testing::Slurp;
using ::fusebox::testing::Spill;
using ::fusebox::testing::StatusHasMessage;
using ::fusebox::testing::TempFolder;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(Npz, ReadsStoredAndDeflated) {
  for (const char* name : {"stored", "deflated"}) {
    ASSERT_OK_AND_ASSIGN(const std::vector<NamedTensor> arrays,
                         ReadNpz(DataPath(std::string("numpy/") + name + ".npz")));
    ASSERT_EQ(arrays.size(), 2u);
    EXPECT_EQ(arrays[0].name, "x");
    EXPECT_EQ(arrays[0].value.dtype(), DType::kF32);
    EXPECT_EQ(arrays[1].name, "y");
  }
  EXPECT_THAT(ReadNpz(DataPath("numpy/deflated.npz"))->at(0).value.shape(), ElementsAre(20, 30));
}

TEST(Npz, WritesTheSameBytesForTheSameArrays) {
  const TempFolder folder;
  const std::vector<float> values = {1, 2};
  const std::vector<NamedTensor> arrays = {{"b", Tensor({2}, std::span<const float>(values))},
                                           {"a", Tensor(DType::kI64, {0, 3})}};
  EXPECT_OK(WriteNpz(folder / "a.npz", arrays));
  ::setenv("TZ", "Asia/Tokyo", 1);
  EXPECT_OK(WriteNpz(folder / "b.npz", arrays));
  ::unsetenv("TZ");
  EXPECT_EQ(Slurp(folder / "a.npz"), Slurp(folder / "b.npz"));
  ASSERT_OK_AND_ASSIGN(const std::vector<NamedTensor> back, ReadNpz(folder / "a.npz"));
  ASSERT_EQ(back.size(), 2u);
  EXPECT_EQ(back[0].name, "b");
  EXPECT_THAT(back[0].value.values<float>(), ElementsAre(1, 2));
  EXPECT_THAT(back[1].value.shape(), ElementsAre(0, 3));
}

TEST(Npz, SurvivesDamage) {
  const auto parse = [](const std::string& bytes) { return ParseNpz(bytes, "f").status(); };
  const std::string seed = Slurp(DataPath("numpy/deflated.npz"));
  ExpectTruncationsAreErrors(seed, parse);
  // Only bits of times, versions and names are not covered by a checksum.
  EXPECT_LT(CountUndetectedFlips(seed, parse), seed.size() * 8 / 4);
}

TEST(Npz, LeavesOutFoldersAndArraysWithoutNumbers) {
  const std::string text = Slurp(DataPath("numpy/text.npy")), numbers = Slurp(DataPath("numpy/f32.npy"));
  ASSERT_OK_AND_ASSIGN(const std::string bytes, ZipBytes({{"sub/", ""}, {"names.npy", text}, {"x.npy", numbers}}));
  ASSERT_OK_AND_ASSIGN(const std::vector<NamedTensor> arrays, ParseNpz(bytes, "f"));
  ASSERT_EQ(arrays.size(), 1u);
  EXPECT_EQ(arrays[0].name, "x");
}

TEST(Npz, ReadsOnlyWhatIsAskedFor) {
  const std::string numbers = Slurp(DataPath("numpy/f32.npy"));
  const TempFolder folder;
  ASSERT_OK_AND_ASSIGN(const std::string bytes, ZipBytes({{"readme.txt", "not an array"},
                                                          {"__MACOSX/._x.npy", "attributes"},
                                                          {"cut.npy", numbers.substr(0, 20)},
                                                          {"point.npy", Slurp(DataPath("numpy/struct.npy"))},
                                                          {"x.npy", numbers},
                                                          {"names.npy", Slurp(DataPath("numpy/text.npy"))}}));
  const auto is_x = [](const std::string& name) { return name == "x"; };
  ASSERT_OK_AND_ASSIGN(const std::vector<NamedTensor> arrays, ParseNpz(bytes, "f", is_x));
  ASSERT_EQ(arrays.size(), 1u);
  EXPECT_EQ(arrays[0].name, "x");
  // What is asked for must hold numbers.
  EXPECT_THAT(ParseNpz(bytes, "f", [](const std::string& name) { return name == "names"; }),
              StatusHasMessage(HasSubstr("f: array 'names.npy': an array of real numbers expected, got text")));
  EXPECT_THAT(ParseNpz(bytes, "f", [](const std::string& name) { return name == "cut"; }),
              StatusHasMessage(HasSubstr("f: array 'cut.npy': truncated")));
  Spill(folder / "a.npz", bytes);
  ASSERT_OK_AND_ASSIGN(const std::vector<std::string> names, NpzNames(folder / "a.npz"));
  EXPECT_THAT(names, ElementsAre("readme.txt", "cut", "point", "x", "names"));
}

TEST(Npz, NamesTheArchiveAndTheArray) {
  EXPECT_THAT(ParseNpz("nothing", "'f.npz'"),
              StatusHasMessage(HasSubstr("'f.npz': no zip archive, or cut or damaged")));
  ASSERT_OK_AND_ASSIGN(const std::string bytes, ZipBytes({{"x.npy", "bad"}}));
  EXPECT_THAT(ParseNpz(bytes, "'f.npz'"),
              StatusHasMessage(HasSubstr("'f.npz': array 'x.npy': truncated: the magic string needs 6 bytes")));
}

}  // namespace
}  // namespace fusebox
