// SPDX-License-Identifier: Apache-2.0
// The last 55,000 of Fashion-MNIST's training images, f32 in [0, 1]; noise of the same shape where it is missing.
#pragma once
#include <zlib.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

namespace peers {

constexpr int64_t kPictures = 55'000, kPixels = 784;

struct Pictures {
  std::vector<float> x;  // [kPictures, kPixels]
  std::vector<int64_t> y;
};

// The last `size` bytes of a file; empty if there is no such file.
inline std::vector<uint8_t> TailOf(const std::string& path, size_t before, size_t size) {
  std::vector<uint8_t> bytes(before + size);
  const gzFile file = gzopen(path.c_str(), "rb");
  if (file == nullptr) return {};
  const int read = gzread(file, bytes.data(), unsigned(bytes.size()));
  gzclose(file);
  if (read != int(bytes.size())) return {};
  return {bytes.begin() + int64_t(before), bytes.end()};
}

inline Pictures LoadPictures() {
  const char* const set = std::getenv("FUSEBOX_DATA_DIR");
  const std::string debians = "/usr/share/datasets/fashion-mnist";
  std::string folder = set != nullptr && *set != 0 ? set : debians;
  // As in the data set: a folder with only other data sets is ignored.
  if (std::filesystem::is_directory(folder) && !std::filesystem::exists(folder + "/train-images-idx3-ubyte.gz"))
    folder = debians;
  // After the headers of 16 and 8 bytes, 5,000 samples are for validation.
  std::vector<uint8_t> x = TailOf(folder + "/train-images-idx3-ubyte.gz", 16 + 5000 * kPixels, kPictures * kPixels);
  std::vector<uint8_t> y = TailOf(folder + "/train-labels-idx1-ubyte.gz", 8 + 5000, kPictures);
  if (x.empty() || y.empty()) {
    std::mt19937 random(1);
    x.resize(kPictures * kPixels);
    y.resize(kPictures);
    for (uint8_t& pixel : x) pixel = uint8_t(random() >> 24);
    for (uint8_t& label : y) label = uint8_t(random() % 10);
  }
  Pictures pictures{std::vector<float>(x.size()), {y.begin(), y.end()}};
  for (size_t i = 0; i < x.size(); ++i) pictures.x[i] = float(x[i]) / 255;
  return pictures;
}

}  // namespace peers
