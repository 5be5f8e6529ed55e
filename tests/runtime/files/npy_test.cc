// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/files/npy.h"

#include <filesystem>
#include <fstream>
#include <sstream>

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

absl::StatusOr<Tensor> ReadData(const std::string& name) { return ReadNpy(DataPath("numpy/" + name + ".npy")); }

template <class T>
std::vector<T> Values(const Tensor& tensor) {
  const auto values = tensor.values<T>();
  return {values.begin(), values.end()};
}

TEST(Npy, ReadsAndWritesTheBytesOfNumPy) {
  const std::pair<const char*, DType> cases[] = {{"f32", DType::kF32},    {"f64", DType::kF64},  {"i32", DType::kI32},
                                                 {"i64", DType::kI64},    {"u8", DType::kU8},    {"bool", DType::kBool},
                                                 {"scalar", DType::kF32}, {"empty", DType::kF32}};
  for (const auto& [name, dtype] : cases) {
    ASSERT_OK_AND_ASSIGN(const Tensor tensor, ReadData(name));
    EXPECT_EQ(tensor.dtype(), dtype) << name;
    EXPECT_EQ(NpyBytes(tensor), Slurp(DataPath(std::string("numpy/") + name + ".npy"))) << name;
  }
  EXPECT_THAT(Values<float>(*ReadData("f32")), ElementsAre(-0.5f, -0.25f, 0, 0.25f, 0.5f, 0.75f));
  EXPECT_THAT(ReadData("f32")->shape(), ElementsAre(2, 3));
  EXPECT_THAT(ReadData("scalar")->shape(), ElementsAre());
  EXPECT_THAT(ReadData("empty")->shape(), ElementsAre(0, 5));
}

TEST(Npy, ReadsEveryRealNumber) {
  EXPECT_THAT(Values<float>(*ReadData("f16")), ElementsAre(-0.5f, -0.25f, 0, 0.25f, 0.5f, 0.75f));
  EXPECT_THAT(Values<float>(*ReadData("big_endian")), ElementsAre(-0.5f, -0.25f, 0, 0.25f, 0.5f, 0.75f));
  EXPECT_THAT(Values<int32_t>(*ReadData("big_endian_i16")), ElementsAre(-2, -1, 0, 1, 2, 3));
  EXPECT_THAT(Values<int32_t>(*ReadData("u16")), ElementsAre(0, 65535));
  EXPECT_THAT(Values<int64_t>(*ReadData("u32")), ElementsAre(0, 4294967295));
  EXPECT_THAT(Values<int64_t>(*ReadData("u64")), ElementsAre(0, INT64_MAX));
  EXPECT_THAT(Values<int32_t>(*ReadData("i8")), ElementsAre(-128, 127));
}

// Whether the address lies in a mapping of the file.
bool IsMapped(const void* address, const std::string& path) {
  std::ifstream maps("/proc/self/maps");
  const std::string file = std::filesystem::canonical(path);
  for (std::string line; std::getline(maps, line);) {
    uintptr_t begin = 0, end = 0;
    char dash = 0;
    std::istringstream(line) >> std::hex >> begin >> dash >> end;
    if (line.ends_with(file) && begin <= uintptr_t(address) && uintptr_t(address) < end) return true;
  }
  return false;
}

TEST(Npy, LeavesInTheFileWhatIsATensorThere) {
  for (const char* name : {"f32", "f64", "i32", "i64", "u8"}) {
    ASSERT_OK_AND_ASSIGN(const Tensor tensor, ReadData(name));
    EXPECT_TRUE(IsMapped(tensor.raw(), DataPath(std::string("numpy/") + name + ".npy"))) << name;
  }
  for (const char* name : {"big_endian", "fortran", "bool", "f16", "u16", "u32", "i8", "u64"}) {
    ASSERT_OK_AND_ASSIGN(const Tensor tensor, ReadData(name));
    EXPECT_FALSE(IsMapped(tensor.raw(), DataPath(std::string("numpy/") + name + ".npy"))) << name;
  }
}

TEST(Npy, StaysAsItWasWhenTheFileIsReplaced) {
  const TempFolder folder;
  const std::vector<uint8_t> before = {1, 2, 3}, after = {9};
  ASSERT_OK(WriteNpy(folder / "a.npy", Tensor({3}, std::span<const uint8_t>(before))));
  ASSERT_OK_AND_ASSIGN(const Tensor tensor, ReadNpy(folder / "a.npy"));
  ASSERT_OK(WriteNpy(folder / "a.npy", Tensor({1}, std::span<const uint8_t>(after))));
  EXPECT_THAT(Values<uint8_t>(tensor), ElementsAre(1, 2, 3));
}

// If a header's length differs from ours or NumPy's, the data may begin at any offset.
TEST(Npy, CopiesWhatIsNotAligned) {
  const TempFolder folder;
  std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }";
  while ((header.size() + 10) % 4 != 1) header += ' ';
  const float value = 2.5F;
  Spill(folder / "a.npy", std::string("\x93NUMPY\x01\x00", 8) + char(header.size()) + '\0' + header +
                              std::string(reinterpret_cast<const char*>(&value), 4));
  ASSERT_OK_AND_ASSIGN(const Tensor tensor, ReadNpy(folder / "a.npy"));
  EXPECT_FALSE(IsMapped(tensor.raw(), folder / "a.npy"));
  EXPECT_THAT(Values<float>(tensor), ElementsAre(2.5F));
}

TEST(Npy, ReadsFortranOrder) {
  ASSERT_OK_AND_ASSIGN(const Tensor tensor, ReadData("fortran"));
  EXPECT_THAT(tensor.shape(), ElementsAre(2, 3, 4));
  for (int64_t i = 0; i < 24; ++i) EXPECT_EQ(tensor.values<int64_t>()[size_t(i)], i);
}

// As h5py and others write dtypes, and as Python 2 wrote shapes.
TEST(Npy, ReadsHeadersInOtherWords) {
  const auto file = [](const std::string& descr, const std::string& shape, size_t bytes) {
    std::string header = fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': {}, }}\n", descr, shape);
    return std::string("\x93NUMPY\x01\x00", 8) + char(header.size()) + '\0' + header + std::string(bytes, '\0');
  };
  for (const char* descr : {"f4", "=f4", "float32", "single"}) {
    ASSERT_OK_AND_ASSIGN(const Tensor tensor, ParseNpy(file(descr, "(2, 3)", 24), descr));
    EXPECT_EQ(tensor.dtype(), DType::kF32) << descr;
  }
  const std::pair<const char*, DType> others[] = {{"|b1", DType::kBool}, {"?", DType::kBool}, {"bool", DType::kBool},
                                                  {"<d", DType::kF64},   {"d", DType::kF64},  {">h", DType::kI32},
                                                  {"l", DType::kI64},    {"B", DType::kU8},   {"uint8", DType::kU8},
                                                  {"b", DType::kI32},    {"e", DType::kF32},  {"|f4", DType::kF32}};
  for (const auto& [descr, dtype] : others) {
    ASSERT_OK_AND_ASSIGN(const Tensor tensor, ParseNpy(file(descr, "(0,)", 0), descr));
    EXPECT_EQ(tensor.dtype(), dtype) << descr;
  }
  EXPECT_EQ(ParseNpy(file("int64", "(10L, 3L)", 240), "f")->shape(), (std::vector<int64_t>{10, 3}));
  EXPECT_EQ(ParseNpy(file("bool", "(3L,)", 3), "f")->dtype(), DType::kBool);
  EXPECT_THAT(ParseNpy(file("O", "(1,)", 8), "f"), StatusHasMessage(HasSubstr("got Python objects (dtype 'O')")));
  EXPECT_THAT(ParseNpy(file("complex", "(1,)", 8), "f"), StatusHasMessage(HasSubstr("dtype 'complex'")));
}

TEST(Npy, RefusesWhatIsNoRealNumber) {
  EXPECT_THAT(ReadData("complex"),
              StatusHasMessage(HasSubstr("real numbers expected, got complex numbers (dtype '<c16')")));
  EXPECT_THAT(ReadData("text"), StatusHasMessage(HasSubstr("got text (dtype '<U2')")));
  EXPECT_THAT(ReadData("time"), StatusHasMessage(HasSubstr("got times")));
  EXPECT_THAT(ReadData("struct"), StatusHasMessage(HasSubstr("descr (one plain dtype)")));
  EXPECT_THAT(ReadData("u64_too_large"),
              StatusHasMessage(HasSubstr("element 1 is 9223372036854775808, which no 64-bit signed integer holds")));
}

TEST(Npy, NamesTheFileAndTheBytes) {
  const TempFolder folder;
  Spill(folder / "empty.npy", "");
  EXPECT_THAT(ReadNpy(folder / "empty.npy"), StatusHasMessage(HasSubstr("empty.npy': truncated: the magic string")));
  EXPECT_THAT(ReadNpy(folder / ""), StatusHasMessage(HasSubstr("a file expected, got a folder")));
  EXPECT_THAT(ReadNpy("none.npy"), StatusHasMessage("'none.npy': cannot open: No such file or directory"));
  const std::string bytes = Slurp(DataPath("numpy/f32.npy"));
  EXPECT_THAT(ParseNpy(bytes.substr(0, bytes.size() - 5), "'f'"),
              StatusHasMessage("'f': truncated: expected 24 bytes of data for shape (2, 3), found 19"));
  EXPECT_THAT(ParseNpy(bytes + "x", "'f'"),
              StatusHasMessage(HasSubstr("too long: expected 24 bytes of data for shape (2, 3), found 25")));
  EXPECT_THAT(ParseNpy("PK\x03\x04 archive", "'f'"), StatusHasMessage(HasSubstr("not an .npy file")));
}

std::string WithShape(const std::string& shape) {
  std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': " + shape + ", }\n";
  return std::string("\x93NUMPY\x01\x00", 8) + char(header.size()) + '\0' + header;
}

TEST(Npy, RefusesShapesBeforeTakingMemory) {
  for (const char* shape : {"(65536, 65536)", "(1099511627776,)", "(9223372036854775807, 9223372036854775807)",
                            "(4611686018427387904, 4, 0)", "(99999999999999999999,)", "(-1,)", "(2 3)", "(2,", "2"}) {
    EXPECT_FALSE(ParseNpy(WithShape(shape), "f").ok()) << shape;
  }
  EXPECT_OK(ParseNpy(WithShape("(0, 65536)"), "f"));
}

TEST(Npy, SurvivesDamage) {
  const auto parse = [](const std::string& bytes) { return ParseNpy(bytes, "f").status(); };
  const std::string seed = Slurp(DataPath("numpy/fortran.npy"));
  ExpectTruncationsAreErrors(seed, parse);
  // Flipped data, and spaces and letter cases of the header that have no effect.
  EXPECT_GE(CountUndetectedFlips(seed, parse), 8u * 24 * 8);
}

TEST(Npy, WritesFiles) {
  const TempFolder folder;
  const std::vector<double> values = {1, 2, 3};
  EXPECT_OK(WriteNpy(folder / "a.npy", Tensor({3, 1}, std::span<const double>(values))));
  EXPECT_THAT(Values<double>(*ReadNpy(folder / "a.npy")), ElementsAre(1, 2, 3));
}

}  // namespace
}  // namespace fusebox
