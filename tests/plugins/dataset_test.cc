// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "fusebox/runtime/plugins/objects.h"
#include "tests/plugins/plugins.h"

namespace fusebox {
namespace {

using namespace testing;
using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;

// Small files of the right format, in a folder that FUSEBOX_DATA_DIR names.
class FashionMnist : public ::testing::Test {
 protected:
  FashionMnist() : folder_(std::filesystem::temp_directory_path() / fmt::format("fusebox-dataset-{}", getpid())) {
    std::filesystem::create_directories(folder_);
    setenv("FUSEBOX_DATA_DIR", folder_.c_str(), 1);
    Write("train", 3);
    Write("t10k", 2);
  }
  ~FashionMnist() override {
    unsetenv("FUSEBOX_DATA_DIR");
    std::filesystem::remove_all(folder_);
  }

  static std::string Images(int rows) {
    std::string bytes = std::string("\0\0\x8\x3\0\0\0", 7) + char(rows) + std::string("\0\0\0\x1c\0\0\0\x1c", 8);
    for (int i = 0; i < rows * 28 * 28; ++i) bytes += char(i % 256);
    return bytes;
  }
  static std::string Labels(int rows) {
    std::string bytes = std::string("\0\0\x8\x1\0\0\0", 7) + char(rows);
    for (int i = 0; i < rows; ++i) bytes += char(i);
    return bytes;
  }
  void Write(const std::string& split, int rows) {
    WriteGzip(split + "-images-idx3-ubyte.gz", Images(rows));
    WriteGzip(split + "-labels-idx1-ubyte.gz", Labels(rows));
  }
  void WriteGzip(const std::string& name, const std::string& bytes) {
    const std::string plain = Path(name.substr(0, name.size() - 3));
    std::ofstream(plain, std::ios::binary) << bytes;
    EXPECT_EQ(std::system(fmt::format("gzip -nf '{}'", plain).c_str()), 0);
  }
  std::string Path(const std::string& name) const { return folder_ / name; }

  // The error of loading the training set.
  static std::string Error() {
    const auto dataset = DatasetObject::Create(BuiltIns(), Spec("fashion_mnist"));
    EXPECT_OK(dataset);
    const auto arrays = dataset->Load("train");
    EXPECT_FALSE(arrays.ok());
    return std::string(arrays.status().message());
  }

  std::filesystem::path folder_;
};

TEST_F(FashionMnist, GivesGreyLevelsAsTheyAre) {
  ASSERT_OK_AND_ASSIGN(const DatasetObject dataset,
                       DatasetObject::Create(BuiltIns(), Spec("fashion_mnist:scaled=false")));
  ASSERT_OK_AND_ASSIGN(const auto arrays, dataset.Load("train"));
  const Tensor& x = arrays.at(0).second;
  EXPECT_THAT(x.shape(), ::testing::ElementsAre(3, 28, 28));
  for (size_t i = 0; i < size_t(x.size()); ++i) ASSERT_EQ(x.values<uint8_t>()[i], i % 256);
}

TEST_F(FashionMnist, GivesPicturesAndClasses) {
  std::optional<DatasetObject::Arrays> arrays;
  {
    ASSERT_OK_AND_ASSIGN(const DatasetObject dataset, DatasetObject::Create(BuiltIns(), Spec("fashion_mnist")));
    ASSERT_OK_AND_ASSIGN(const auto splits, dataset.Splits());
    ASSERT_EQ(splits.size(), 2u);
    EXPECT_EQ(splits[0].name, "train");
    EXPECT_EQ(splits[0].rows, 3);
    EXPECT_EQ(splits[1].name, "test");
    EXPECT_EQ(splits[1].rows, 2);
    ASSERT_OK_AND_ASSIGN(arrays, dataset.Load("train"));
  }
  // The arrays outlive the object.
  ASSERT_EQ(arrays->size(), 2u);
  const auto& [x_name, x] = arrays->at(0);
  const auto& [y_name, y] = arrays->at(1);
  EXPECT_EQ(x_name, "x");
  EXPECT_EQ(x.shape(), (std::vector<int64_t>{3, 28, 28}));
  EXPECT_EQ(x.values<float>()[0], 0.0f);
  EXPECT_EQ(x.values<float>()[51], 0.2f);
  EXPECT_EQ(x.values<float>()[255], 1.0f);
  EXPECT_EQ(y_name, "y");
  EXPECT_THAT(std::vector<int32_t>(y.values<int32_t>().begin(), y.values<int32_t>().end()),
              ::testing::ElementsAre(0, 1, 2));
}

TEST_F(FashionMnist, ReadsPlainFilesToo) {
  const std::string name = "train-labels-idx1-ubyte";
  std::filesystem::remove(Path(name + ".gz"));
  std::ofstream(Path(name), std::ios::binary) << Labels(3);
  ASSERT_OK_AND_ASSIGN(const DatasetObject dataset, DatasetObject::Create(BuiltIns(), Spec("fashion_mnist")));
  EXPECT_OK(dataset.Load("train"));
}

// The folder holds only other data sets: Debian's files are read.
TEST_F(FashionMnist, WithoutItsFilesThereReadsDebians) {
  for (const auto& entry : std::filesystem::directory_iterator(folder_)) std::filesystem::remove(entry);
  std::ofstream(folder_ / "california_housing.csv") << "another data set";
  const std::string debians = "/usr/share/datasets/fashion-mnist/train-labels-idx1-ubyte";
  ASSERT_OK_AND_ASSIGN(const DatasetObject dataset, DatasetObject::Create(BuiltIns(), Spec("fashion_mnist")));
  const auto splits = dataset.Splits();
  if (std::filesystem::exists(debians) || std::filesystem::exists(debians + ".gz")) {
    ASSERT_OK(splits);
    EXPECT_EQ(splits->at(0).rows, 60000);
  } else {
    EXPECT_THAT(splits, StatusHasMessage(HasSubstr("cannot open " + debians)));
  }
  // A folder that does not exist is an error.
  setenv("FUSEBOX_DATA_DIR", "/nowhere", 1);
  EXPECT_THAT(Error(), HasSubstr("cannot open /nowhere/train-"));
}

TEST_F(FashionMnist, NamesAMissingFile) {
  std::filesystem::remove(Path("train-labels-idx1-ubyte.gz"));
  EXPECT_THAT(Error(), AllOf(HasSubstr("cannot open " + Path("train-labels-idx1-ubyte.gz")),
                             HasSubstr("No such file or directory"), HasSubstr("FUSEBOX_DATA_DIR")));
}

TEST_F(FashionMnist, SaysHowManyBytesAreMissing) {
  WriteGzip("train-images-idx3-ubyte.gz", Images(3).substr(0, 1000));
  EXPECT_THAT(Error(), EndsWith(Path("train-images-idx3-ubyte.gz") + ": expected 2368 bytes, found 1000"));
  WriteGzip("train-images-idx3-ubyte.gz", Images(3).substr(0, 10));
  EXPECT_THAT(Error(), EndsWith(": expected 16 bytes, found 10"));
  WriteGzip("train-images-idx3-ubyte.gz", Images(3) + "x");
  EXPECT_THAT(Error(), EndsWith(": expected 2368 bytes, found more"));
}

// Every prefix of the file.
TEST_F(FashionMnist, NoticesATruncatedFile) {
  const std::string path = Path("train-labels-idx1-ubyte.gz"), whole = path + ".whole";
  std::filesystem::rename(path, whole);
  const auto size = std::filesystem::file_size(whole);
  for (size_t length = 0; length < size; ++length) {
    std::filesystem::copy_file(whole, path, std::filesystem::copy_options::overwrite_existing);
    std::filesystem::resize_file(path, length);
    EXPECT_THAT(Error(), HasSubstr(path)) << length;
  }
}

TEST_F(FashionMnist, ChecksTheHeader) {
  WriteGzip("train-images-idx3-ubyte.gz", Labels(3) + std::string(100, 'x'));
  EXPECT_THAT(Error(), EndsWith("expected an IDX file of u8 and rank 3, found the bytes 00 00 08 01"));
  std::string odd = Images(3);
  odd[15] = 27;
  WriteGzip("train-images-idx3-ubyte.gz", odd);
  EXPECT_THAT(Error(), EndsWith("expected 28 along axis 2, found 27"));
  std::string huge = Images(3);
  huge[4] = '\x7f';
  WriteGzip("train-images-idx3-ubyte.gz", huge);
  EXPECT_THAT(Error(), HasSubstr("expected at most 10000000 rows, found 2130706435"));
  std::string many = Images(3);
  many[5] = '\x10';  // A header with a million rows must not cause allocation.
  WriteGzip("train-images-idx3-ubyte.gz", many);
  WriteGzip("train-labels-idx1-ubyte.gz", std::string("\0\0\x8\x1\0\x10\0\x3", 8) + Labels(3));
  EXPECT_THAT(Error(), EndsWith("expected 822085952 bytes, found 2368"));
  Write("train", 3);
  WriteGzip("train-labels-idx1-ubyte.gz", Labels(2));
  EXPECT_THAT(Error(),
              AllOf(HasSubstr("images-idx3-ubyte.gz has 3 rows, but "), EndsWith("labels-idx1-ubyte.gz has 2")));
}

TEST_F(FashionMnist, NamesItsSplits) {
  ASSERT_OK_AND_ASSIGN(const DatasetObject dataset, DatasetObject::Create(BuiltIns(), Spec("fashion_mnist")));
  EXPECT_THAT(dataset.Load("validation"),
              StatusHasMessage(EndsWith("has no split 'validation': known are 'train', 'test'")));
}

// The same for a table.
class CaliforniaHousing : public ::testing::Test {
 protected:
  static constexpr const char* kColumns =
      "MedInc,HouseAge,AveRooms,AveBedrms,Population,AveOccup,Latitude,Longitude,MedHouseVal\n";

  CaliforniaHousing() : folder_(std::filesystem::temp_directory_path() / fmt::format("fusebox-housing-{}", getpid())) {
    std::filesystem::create_directories(folder_);
    setenv("FUSEBOX_DATA_DIR", folder_.c_str(), 1);
    std::string table = kColumns;
    for (int i = 0; i < 10; ++i) table += fmt::format("{0}.5,1,2,3,4,5,6,-7,{0}\n", i);
    Write(table);
  }
  ~CaliforniaHousing() override {
    unsetenv("FUSEBOX_DATA_DIR");
    std::filesystem::remove_all(folder_);
  }
  void Write(const std::string& table) { std::ofstream(folder_ / "california_housing.csv") << table; }
  static absl::StatusOr<DatasetObject::Arrays> Load(const char* spec, const char* split) {
    const auto dataset = DatasetObject::Create(BuiltIns(), Spec(spec));
    EXPECT_OK(dataset);
    return dataset->Load(split);
  }

  std::filesystem::path folder_;
};

TEST_F(CaliforniaHousing, SplitsShuffledRows) {
  const auto train = Load("california_housing", "train"), test = Load("california_housing", "test");
  ASSERT_OK(train);
  ASSERT_OK(test);
  std::vector<float> seen;
  for (const auto* arrays : {&*train, &*test}) {
    const Tensor &x = arrays->at(0).second, &y = arrays->at(1).second;
    EXPECT_EQ(x.shape(), (std::vector<int64_t>{arrays == &*train ? 8 : 2, 8}));
    EXPECT_EQ(y.shape(), (std::vector<int64_t>{arrays == &*train ? 8 : 2, 1}));
    for (size_t i = 0; i < size_t(y.rows()); ++i) {
      EXPECT_EQ(x.values<float>()[8 * i], y.values<float>()[i] + 0.5F);
      EXPECT_EQ(x.values<float>()[8 * i + 7], -7);
      seen.push_back(y.values<float>()[i]);
    }
  }
  EXPECT_FALSE(std::ranges::is_sorted(seen));
  std::ranges::sort(seen);
  EXPECT_EQ(seen, (std::vector<float>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}));
}

TEST_F(CaliforniaHousing, StandardizesByTheTrainingSplit) {
  const auto train = Load("california_housing:standardized=true", "train");
  ASSERT_OK(train);
  const Tensor& x = train->at(0).second;
  double sum = 0, squares = 0;
  for (size_t i = 0; i < 8; ++i) {
    const double income = x.values<float>()[8 * i];
    sum += income, squares += income * income;
    EXPECT_EQ(x.values<float>()[8 * i + 1], 0);  // A column of one value.
  }
  EXPECT_NEAR(sum, 0, 1e-5);
  EXPECT_NEAR(squares, 8, 1e-5);
}

TEST_F(CaliforniaHousing, SaysWhatIsWrong) {
  const auto error = [] { return std::string(Load("california_housing", "train").status().message()); };
  EXPECT_THAT(std::string(Load("california_housing", "all").status().message()),
              HasSubstr("has no split 'all': known are 'train', 'test'"));
  Write(std::string(kColumns) + "1,2,3,4,5,6,7,8,9\n1,2,3\n");
  EXPECT_THAT(error(), HasSubstr("california_housing.csv: line 3: expected 9 numbers separated by ',', got '1,2,3'"));
  Write("a,b\n1,2\n");
  EXPECT_THAT(error(), HasSubstr("expected the columns MedInc,"));
  std::filesystem::remove(folder_ / "california_housing.csv");
  EXPECT_THAT(error(), AllOf(HasSubstr("cannot open"), HasSubstr("set FUSEBOX_DATA_DIR to a folder with this file"),
                             HasSubstr("fetch_california_housing")));
}

}  // namespace
}  // namespace fusebox
