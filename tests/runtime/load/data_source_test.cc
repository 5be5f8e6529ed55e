// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/load/data_source.h"

#include <filesystem>
#include <fstream>

#include "fusebox/runtime/files/npy.h"
#include "fusebox/runtime/files/npz.h"
#include "fusebox/runtime/sequential.h"
#include "gmock/gmock.h"

namespace fusebox {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string Error(const absl::Status& status) { return std::string(status.message()); }
std::string TempPath(const std::string& name) { return ::testing::TempDir() + name; }

TEST(ParseSlice, MeansWhatTensorFlowDatasetsMeans) {
  const auto range = [](const char* slice) {
    const auto r = ParseSlice(slice, 200);
    return r.ok() ? std::pair(r->begin, r->end) : std::pair<int64_t, int64_t>(-1, -1);
  };
  EXPECT_EQ(range("[:]"), std::pair(0L, 200L));
  EXPECT_EQ(range("[50:]"), std::pair(50L, 200L));
  EXPECT_EQ(range("[:50]"), std::pair(0L, 50L));
  EXPECT_EQ(range("[10:20]"), std::pair(10L, 20L));
  EXPECT_EQ(range("[-50:]"), std::pair(150L, 200L));
  EXPECT_EQ(range("[:-50]"), std::pair(0L, 150L));
  EXPECT_EQ(range("[:80%]"), std::pair(0L, 160L));
  EXPECT_EQ(range("[25%:75%]"), std::pair(50L, 150L));
}

TEST(ParseSlice, SaysWhatIsWrong) {
  EXPECT_THAT(Error(ParseSlice("[7]", 10).status()), HasSubstr("slice [7]: expected [begin:end]"));
  EXPECT_THAT(Error(ParseSlice("[a:]", 10).status()), HasSubstr("got 'a'"));
  EXPECT_THAT(Error(ParseSlice("[:11]", 10).status()), HasSubstr("there are 10 rows"));
  EXPECT_THAT(Error(ParseSlice("[5:5]", 10).status()), HasSubstr("has no rows"));
  EXPECT_THAT(Error(ParseSlice("[:120%]", 10).status()), HasSubstr("no percentage"));
}

TEST(LoadData, ReadsNpzAndSlices) {
  const std::string path = TempPath("data_source.npz");
  const float x[] = {1, 2, 3, 4, 5, 6};
  const int32_t y[] = {0, 1, 2};
  ASSERT_TRUE(
      WriteNpz(path, {{"x", Tensor::Borrow(DType::kF32, {3, 2}, x)}, {"y", Tensor::Borrow(DType::kI32, {3}, y)}}).ok());
  const absl::StatusOr<Data> data = LoadData(path + "[1:]");
  ASSERT_TRUE(data.ok()) << data.status();
  EXPECT_THAT(data->x.values<float>(), ElementsAre(3, 4, 5, 6));
  EXPECT_THAT(data->y.values<int32_t>(), ElementsAre(1, 2));
}

TEST(LoadData, ReadsTwoNpyFilesAsTheyAre) {
  const std::string x_path = TempPath("data_source_x.npy"), y_path = TempPath("data_source_y.npy");
  const uint8_t x[] = {1, 2, 3, 4, 5, 255};
  const int64_t y[] = {0, 1, 2};
  ASSERT_TRUE(WriteNpy(x_path, Tensor::Borrow(DType::kU8, {3, 2}, x)).ok());
  ASSERT_TRUE(WriteNpy(y_path, Tensor::Borrow(DType::kI64, {3}, y)).ok());
  const absl::StatusOr<Data> data = LoadData(x_path + "," + y_path + "[1:]");
  ASSERT_TRUE(data.ok()) << data.status();
  EXPECT_THAT(data->x.values<uint8_t>(), ElementsAre(3, 4, 5, 255));
  EXPECT_THAT(data->y.values<int64_t>(), ElementsAre(1, 2));
  EXPECT_THAT(Error(LoadData(x_path + ",none.npy").status()), HasSubstr("'none.npy': cannot open"));
  EXPECT_THAT(Error(LoadData(x_path).status()), HasSubstr("expected .npz, .csv, .libsvm, two .npy or IDX files"));
}

TEST(LoadData, NamesTheArraysThatItFound) {
  const std::string path = TempPath("no_y.npz");
  ASSERT_TRUE(WriteNpz(path, {{"x", Tensor(DType::kF32, {3, 2})}, {"labels", Tensor(DType::kI32, {3})}}).ok());
  EXPECT_THAT(Error(LoadData(path).status()), HasSubstr("expected the arrays 'x' and 'y', found 'x', 'labels'"));
}

TEST(LoadData, TakesTheTargetOutOfACsv) {
  const std::string path = TempPath("table.csv");
  std::ofstream(path) << "a,price,b\n1,10,2\n3,30,4\n";
  const absl::StatusOr<Data> data = LoadData(path, "price");
  ASSERT_TRUE(data.ok()) << data.status();
  EXPECT_THAT(data->x.values<float>(), ElementsAre(1, 2, 3, 4));
  EXPECT_THAT(data->y.values<float>(), ElementsAre(10, 30));
  EXPECT_THAT(Error(LoadData(path, "prize").status()), HasSubstr("has no column 'prize': did you mean 'price'?"));
  EXPECT_THAT(Error(LoadData(path).status()), HasSubstr("needs --target COLUMN"));
}

TEST(LoadData, ReadsTablesAsTheyAreWritten) {
  const std::string path = TempPath("Table, 2.CSV");  // A ',' and capitals in the name.
  std::ofstream(path) << "id;a;price;b;rank\n7;1;10;2;1\n8;;30;4;2\n9;5;50;6;3\n";
  TableOptions options("price,rank");
  options.separator = ';';
  options.ignored = "id";
  EXPECT_THAT(Error(LoadData(path, options).status()), HasSubstr("column 'a': a number expected, got nothing (--na"));
  options.missing = MissingValues::kDrop;
  absl::StatusOr<Data> data = LoadData(path, options);
  ASSERT_TRUE(data.ok()) << data.status();
  EXPECT_THAT(data->x.values<float>(), ElementsAre(1, 2, 5, 6));
  EXPECT_THAT(data->y.shape(), ElementsAre(2, 2));
  EXPECT_THAT(data->y.values<float>(), ElementsAre(10, 1, 50, 3));
  options.missing = MissingValues::kMean;
  data = LoadData(path, options);
  ASSERT_TRUE(data.ok()) << data.status();
  EXPECT_THAT(data->x.values<float>(), ElementsAre(1, 2, 3, 4, 5, 6));
  std::ofstream(path) << "id;a\n1;\n2;\n";
  options.target = "id";
  options.ignored = "";
  EXPECT_THAT(Error(LoadData(path, options).status()), HasSubstr("column 'a' has no values"));
  options.missing = MissingValues::kDrop;
  EXPECT_THAT(Error(LoadData(path, options).status()), HasSubstr("each row lacks a value"));
  options.ignored = "a";
  EXPECT_THAT(Error(LoadData(path, options).status()), HasSubstr("no column is left for x"));
}

TEST(LoadData, RefusesOtherKindsByName) {
  EXPECT_THAT(Error(LoadData("data.parquet").status()),
              HasSubstr("'data.parquet': fusebox does not read Parquet files: read it with pandas.read_parquet "
                        "and save the data as .npz"));
  EXPECT_THAT(Error(LoadData("data.pkl").status()), HasSubstr("does not read pickle files"));
  EXPECT_THAT(Error(LoadData("X.Feather").status()), HasSubstr("Feather files: read it with pandas.read_feather"));
}

TEST(LoadData, TellsPairsByTheirBytes) {
  const std::string folder = TempPath("a,b");
  std::filesystem::create_directories(folder);
  const float x[] = {1, 2}, y[] = {3, 4};
  const std::string x_path = folder + "/x 'é\".dat", y_path = folder + "/y.NPY", idx = folder + "/labels.gz";
  ASSERT_TRUE(WriteNpy(x_path, Tensor::Borrow(DType::kF32, {2, 1}, x)).ok());
  ASSERT_TRUE(WriteNpy(y_path, Tensor::Borrow(DType::kF32, {2}, y)).ok());
  std::ofstream(idx, std::ios::binary) << std::string("\0\0\x08\x01\0\0\0\x02\x05\x06", 10);
  absl::StatusOr<Data> data = LoadData(x_path + "," + y_path);
  ASSERT_TRUE(data.ok()) << data.status();
  EXPECT_THAT(data->y.values<float>(), ElementsAre(3, 4));
  data = LoadData(x_path + "," + idx + "[1:]");
  ASSERT_TRUE(data.ok()) << data.status();
  EXPECT_THAT(data->y.values<uint8_t>(), ElementsAre(6));
  const std::string table = folder + "/t.csv";
  std::ofstream(table) << "a,b\n1,2\n";
  EXPECT_THAT(Error(LoadData(x_path + "," + table).status()),
              HasSubstr("t.csv': an .npy or IDX file expected on each side of the ',', got CSV"));
  data = LoadData(table, "b");
  ASSERT_TRUE(data.ok()) << data.status();
}

TEST(LoadData, ReadsLibsvm) {
  const std::string path = TempPath("data_source.LibSVM");
  std::ofstream(path) << "1 1:0.5\n2 2:3\n";
  TableOptions options;
  options.features = 3;
  const absl::StatusOr<Data> data = LoadData(path, options);
  ASSERT_TRUE(data.ok()) << data.status();
  EXPECT_THAT(data->x.values<float>(), ElementsAre(0.5, 0, 0, 0, 3, 0));
  EXPECT_THAT(data->y.values<float>(), ElementsAre(1, 2));
}

TEST(LoadData, ListsKnownDataSources) {
  EXPECT_THAT(Error(LoadData("fashon_mnist").status()), HasSubstr("did you mean 'fashion_mnist'?"));
}

TEST(LoadData, CutsFashionMnist) {
  const absl::StatusOr<Data> data = LoadData("fashion_mnist:test[:100]");
  if (!data.ok()) GTEST_SKIP() << data.status();  // The data set is a separate package.
  EXPECT_THAT(data->x.shape(), ElementsAre(100, 28, 28));
  EXPECT_THAT(data->y.shape(), ElementsAre(100));
  EXPECT_THAT(Error(LoadData("fashion_mnist:tets").status()), HasSubstr("test"));
}

TEST(LoadDataFor, TakesArraysByTheNamesOfTheModel) {
  const SymbolicTensor a = Input({2}, {.name = "a"}), b = Input({1}, {.name = "b"});
  const Model model({a, b}, Dense(1, {.name = "price"})(Concatenate()({a, b})), {.name = "m"});
  const std::string path = TempPath("data_source_named.npz");
  const Tensor two(DType::kF32, {3, 2}), one(DType::kF32, {3, 1});
  ASSERT_TRUE(WriteNpz(path, {{"price", one}, {"b", one}, {"a", two}}).ok());
  const absl::StatusOr<DataArg> data = LoadDataFor(model.config(), path + "[1:]");
  ASSERT_TRUE(data.ok()) << data.status();
  EXPECT_THAT(data->x["a"].shape(), ElementsAre(2, 2));
  EXPECT_THAT(data->x["b"].shape(), ElementsAre(2, 1));
  EXPECT_THAT(data->y["price"].shape(), ElementsAre(2, 1));
  ASSERT_TRUE(WriteNpz(path, {{"price", one}, {"c", one}}).ok());
  EXPECT_THAT(Error(LoadDataFor(model.config(), path).status()),
              HasSubstr("model 'm' has no input or output 'c': its inputs are 'a', 'b', its outputs 'price'"));
}

}  // namespace
}  // namespace fusebox
