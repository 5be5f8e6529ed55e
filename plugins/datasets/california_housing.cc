// SPDX-License-Identifier: Apache-2.0
// House prices in California: features of the block groups of the 1990 census, and the median value of a house there.
//     x f32[n, 8]   MedInc, HouseAge, AveRooms, AveBedrms, Population, AveOccup, Latitude, Longitude;
//                   if `standardized`, each minus its mean, over its standard deviation, of the training split
//     y f32[n, 1]   the median value, in 100,000 dollars
//
// Reads california_housing.csv in FUSEBOX_DATA_DIR: a header line, then these columns and MedHouseVal in this order, as
// written by scikit-learn's fetch_california_housing(as_frame=True).frame.to_csv(..., index=False). Rows in the file
// are ordered by location. They are shuffled, always the same way for one seed, and the last ones are the test split.
// Source: Pace, Barry (1997), Sparse Spatial Autoregressions; names and defaults of keras.datasets.california_housing.
#include <array>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <stdexcept>

#include "fusebox/plugins/sdk/sdk.h"

namespace fusebox {
namespace {

constexpr size_t kFeatures = 8, kColumns = kFeatures + 1;
constexpr std::string_view kHeader =
    "MedInc,HouseAge,AveRooms,AveBedrms,Population,AveOccup,Latitude,Longitude,MedHouseVal";

template <class... T>
std::runtime_error Wrong(fmt::format_string<T...> format, T&&... arguments) {
  return std::runtime_error(fmt::format(format, std::forward<T>(arguments)...));
}

using Row = std::array<double, kColumns>;

Row ParseRow(std::string_view line, const std::string& path, size_t number) {
  Row row{};
  const char *at = line.data(), *const end = line.data() + line.size();
  for (size_t i = 0; i < kColumns; ++i) {
    const auto [next, error] = std::from_chars(at, end, row[i]);
    const bool last = i + 1 == kColumns;
    if (error != std::errc() || (last ? next != end : next == end || *next != ',')) {
      throw Wrong("{}: line {}: expected {} numbers separated by ',', got '{}'", path, number, kColumns, line);
    }
    at = next + 1;
  }
  return row;
}

std::vector<Row> ReadRows(const std::string& path) {
  errno = 0;
  std::ifstream file(path);
  if (!file) {
    throw Wrong(
        "cannot open {}: {}; set FUSEBOX_DATA_DIR to a folder with this file, as scikit-learn's "
        "fetch_california_housing(as_frame=True).frame.to_csv(\"california_housing.csv\", index=False) writes it",
        path, std::strerror(errno != 0 ? errno : ENOENT));
  }
  std::vector<Row> rows;
  std::string line;
  for (size_t number = 1; std::getline(file, line); ++number) {
    if (line.ends_with('\r')) line.pop_back();
    if (number == 1) {
      if (line != kHeader) throw Wrong("{}: expected the columns {}, got '{}'", path, kHeader, line);
    } else {
      rows.push_back(ParseRow(line, path, number));
    }
  }
  if (rows.size() < 2) throw Wrong("{}: expected at least 2 rows, got {}", path, rows.size());
  return rows;
}

// SplitMix64: Steele, Lea, Flood (2014), Fast splittable pseudorandom number generators. Gives the same numbers on
// every machine.
uint64_t Next(uint64_t& state) {
  uint64_t z = state += 0x9E3779B97F4A7C15;
  z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9;
  z = (z ^ z >> 27) * 0x94D049BB133111EB;
  return z ^ z >> 31;
}

class CaliforniaHousing final : public sdk::Dataset {
 public:
  explicit CaliforniaHousing(const sdk::Attributes& attributes)
      : standardized_(attributes.Bool("standardized")),
        test_split_(attributes.Float("test_split")),
        seed_(attributes.Int("seed")) {
    const char* folder = std::getenv("FUSEBOX_DATA_DIR");
    path_ = std::string(folder != nullptr && *folder != '\0' ? folder : ".") + "/california_housing.csv";
  }

  std::vector<sdk::Split> Splits() const override {
    const size_t rows = ReadRows(path_).size(), train = TrainRows(rows);
    return {{"train", int64_t(train)}, {"test", int64_t(rows - train)}};
  }

  std::vector<sdk::Array> Load(std::string_view split) const override {
    if (split != "train" && split != "test") throw Wrong("has the splits train and test, not '{}'", split);
    std::vector<Row> rows = ReadRows(path_);
    uint64_t state = uint64_t(seed_);
    for (size_t i = rows.size(); i > 1; --i) std::swap(rows[i - 1], rows[Next(state) % i]);
    const size_t train = TrainRows(rows.size());
    if (standardized_) Standardize(rows, train);
    const size_t begin = split == "train" ? 0 : train, end = split == "train" ? train : rows.size();
    const auto x = std::make_shared<std::vector<float>>(), y = std::make_shared<std::vector<float>>();
    for (size_t i = begin; i < end; ++i) {
      for (size_t k = 0; k < kFeatures; ++k) x->push_back(float(rows[i][k]));
      y->push_back(float(rows[i][kFeatures]));
    }
    const int64_t count = int64_t(end - begin);
    return {{"x", MakeType(FB_F32, {count, int64_t(kFeatures)}), {x, x->data()}},
            {"y", MakeType(FB_F32, {count, 1}), {y, y->data()}}};
  }

 private:
  size_t TrainRows(size_t rows) const { return size_t(double(rows) * (1 - test_split_)); }

  static void Standardize(std::vector<Row>& rows, size_t train) {
    for (size_t k = 0; k < kFeatures; ++k) {
      double sum = 0, squares = 0;
      for (size_t i = 0; i < train; ++i) sum += rows[i][k];
      const double mean = sum / double(train);
      for (size_t i = 0; i < train; ++i) squares += (rows[i][k] - mean) * (rows[i][k] - mean);
      const double deviation = std::sqrt(squares / double(train));
      for (Row& row : rows) row[k] = (row[k] - mean) / (deviation > 0 ? deviation : 1);
    }
  }

  bool standardized_;
  double test_split_;
  int64_t seed_;
  std::string path_;
};

FUSEBOX_PLUGIN(
    CaliforniaHousing,
    {.id = "fusebox/california_housing",
     .doc = "California house prices by block group, x f32[n,8], y f32[n,1] in 100,000 dollars; splits train and "
            "test. Reads california_housing.csv in FUSEBOX_DATA_DIR.",
     .attributes = {
         sdk::Bool("standardized", false).Doc("scales x to mean 0 and standard deviation 1 over the training split"),
         sdk::Float("test_split", 0.2).Range(0, 1).Doc("fraction of rows in the test split"),
         sdk::Int("seed", 113).Doc("seed of the shuffle"),
     }});

}  // namespace
}  // namespace fusebox
