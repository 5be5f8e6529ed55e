// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/files/formats.h"

#include <optional>
#include <set>

#include "gtest/gtest.h"

namespace fusebox {
namespace {

std::optional<Format> Named(std::string_view path) {
  const FileFormat* const format = FormatOfName(path);
  return format != nullptr ? std::optional(format->format) : std::nullopt;
}

TEST(Formats, AreToldByTheNamesEnding) {
  EXPECT_EQ(Named("a.keras"), Format::kKeras);
  EXPECT_EQ(Named("a.weights.h5"), Format::kKerasWeights);
  EXPECT_EQ(Named("a.h5"), Format::kKerasH5);
  EXPECT_EQ(Named("a.fbg"), Format::kProgram);
  EXPECT_EQ(Named("x.npy,y.npy"), Format::kNpy);
  EXPECT_EQ(Named("idx.npz"), Format::kNpz);
  EXPECT_EQ(Named("images-idx3-ubyte.gz"), Format::kIdx);
  EXPECT_EQ(Named("Data.CSV"), Format::kCsv);
  EXPECT_EQ(Named("a.Tsv"), Format::kTsv);
  EXPECT_EQ(Named("A.WEIGHTS.H5"), Format::kKerasWeights);
  EXPECT_EQ(Named("a.svmlight"), Format::kSvmlight);
  EXPECT_EQ(Named("keras"), std::nullopt);
}

TEST(Formats, AreOneRowEach) {
  std::set<Format> formats;
  std::set<std::string_view> endings;
  for (const FileFormat& row : FileFormats()) {
    EXPECT_TRUE(formats.insert(row.format).second) << row.name;
    EXPECT_TRUE(endings.insert(row.ending).second) << row.name;
    EXPECT_NE(row.ending.empty(), row.within.empty()) << row.name;
    EXPECT_EQ(row.reads & ~row.holds, 0u) << row.name;
    EXPECT_EQ(row.writes & ~row.holds, 0u) << row.name;
  }
}

TEST(Formats, OfOtherProgramsAreKnownByName) {
  EXPECT_EQ(WhyNotRead("a/b.PARQUET"),
            "'a/b.PARQUET': fusebox does not read Parquet files: read it with pandas.read_parquet and save the data as "
            ".npz (numpy.savez) or .csv");
  for (const char* path : {"a.arrow", "a.feather", "a.xlsx", "a.xls", "a.pkl", "a.pickle", "a.mat", "a.tfrecord"})
    EXPECT_NE(WhyNotRead(path), "") << path;
  for (const char* path : {"a.csv", "parquet", "fashion_mnist", "a.npz"}) EXPECT_EQ(WhyNotRead(path), "") << path;
}

TEST(Formats, AreToldByFirstBytes) {
  EXPECT_TRUE(BeginsAs("\x89HDF\r\n\x1a\n...", Format::kKerasH5));
  EXPECT_FALSE(BeginsAs("PK\x03\x04...", Format::kKerasH5));
  EXPECT_TRUE(BeginsAs("PK\x03\x04...", Format::kKeras));
  EXPECT_FALSE(BeginsAs("PK", Format::kNpz));
}

}  // namespace
}  // namespace fusebox
