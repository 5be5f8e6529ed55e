// SPDX-License-Identifier: Apache-2.0
// Files in tests of readers and writers.
#pragma once
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/support/status.h"

namespace fusebox::testing {

// A temporary folder for one test, removed with this object.
class TempFolder {
 public:
  TempFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "fusebox_test_XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  ~TempFolder() { std::filesystem::remove_all(path_); }

  std::string operator/(const std::string& name) const { return (path_ / name).string(); }
  std::vector<std::string> Names() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(path_))
      names.push_back(entry.path().filename().string());
    std::ranges::sort(names);
    return names;
  }

 private:
  std::filesystem::path path_;
};

inline std::string DataPath(const std::string& name) { return std::string(FUSEBOX_SOURCE_DIR "/tests/data/") + name; }

inline std::string Slurp(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file.good()) << path;
  return {std::istreambuf_iterator<char>(file), {}};
}

inline void Spill(const std::string& path, const std::string& bytes) { std::ofstream(path, std::ios::binary) << bytes; }

// Checks that `parse` refuses every prefix of `seed`.
inline void ExpectTruncationsAreErrors(const std::string& seed,
                                       const std::function<absl::Status(const std::string&)>& parse, size_t step = 1) {
  for (size_t size = 0; size < seed.size(); size += step) {
    const absl::Status status = parse(seed.substr(0, size));
    EXPECT_FALSE(status.ok()) << size << " bytes of " << seed.size();
    EXPECT_FALSE(status.message().empty());
  }
}

// Flips one bit at a time, every `step`th bit. Returns how often `parse` accepted the damaged data: a number with a
// flipped bit is still a number.
inline size_t CountUndetectedFlips(const std::string& seed,
                                   const std::function<absl::Status(const std::string&)>& parse, size_t step = 1) {
  size_t undetected = 0;
  for (size_t bit = 0; bit < 8 * seed.size(); bit += step) {
    std::string damaged = seed;
    damaged[bit / 8] = char(damaged[bit / 8] ^ (1 << bit % 8));
    undetected += parse(damaged).ok() ? 1 : 0;
  }
  return undetected;
}

}  // namespace fusebox::testing
