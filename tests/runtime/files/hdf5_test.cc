// SPDX-License-Identifier: Apache-2.0
// The writer and the reader of HDF5, and malicious files.
#include <hdf5.h>
#include <unistd.h>

#include "fusebox/runtime/files/hdf5_reader.h"
#include "fusebox/runtime/files/hdf5_writer.h"
#include "fusebox/runtime/files/zip_archive.h"
#include "tests/runtime/files/files.h"

namespace fusebox {
namespace {

using ::fusebox::testing::CountUndetectedFlips;
using ::fusebox::testing::DataPath;
using ::fusebox::testing::ExpectTruncationsAreErrors;
using ::fusebox::testing::Slurp;
using ::fusebox::testing::StatusHasMessage;
using ::fusebox::testing::TempFolder;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

Tensor Floats(std::vector<int64_t> shape, const std::vector<float>& values) {
  return Tensor(std::move(shape), std::span<const float>(values));
}

std::vector<NamedTensor> Weights() {
  return {{"layers/dense/vars/0", Floats({2, 3}, {1, 2, 3, 4, 5, 6})},
          {"layers/dense/vars/1", Floats({3}, {7, 8, 9})},
          {"optimizer/vars/0", Tensor(DType::kI64, {})}};
}

TEST(Hdf5, ReadsWhatItWrites) {
  std::vector<NamedTensor> datasets = Weights();
  for (const DType dtype : {DType::kF64, DType::kI32, DType::kU8, DType::kBool})
    datasets.push_back({Name(dtype), Tensor(dtype, {2})});
  datasets.push_back({"empty", Tensor(DType::kF32, {0, 4})});
  ASSERT_OK_AND_ASSIGN(const std::string bytes, Hdf5Bytes(datasets));
  ASSERT_OK_AND_ASSIGN(const std::vector<NamedTensor> back, ReadHdf5(bytes, "f"));
  ASSERT_EQ(back.size(), datasets.size());
  for (const NamedTensor& dataset : datasets) {
    const auto found = std::ranges::find(back, dataset.name, &NamedTensor::name);
    ASSERT_NE(found, back.end()) << dataset.name;
    EXPECT_EQ(found->value.dtype(), dataset.value.dtype()) << dataset.name;
    EXPECT_EQ(found->value.shape(), dataset.value.shape()) << dataset.name;
    ASSERT_EQ(std::memcmp(found->value.raw(), dataset.value.raw(), dataset.value.bytes()), 0) << dataset.name;
  }
}

TEST(Hdf5, TheSameWeightsGiveTheSameBytes) {
  ASSERT_OK_AND_ASSIGN(const std::string once, Hdf5Bytes(Weights()));
  ::sleep(2);  // HDF5 would record the time of each object's creation in seconds.
  ASSERT_OK_AND_ASSIGN(const std::string again, Hdf5Bytes(Weights()));
  EXPECT_EQ(once, again);
}

TEST(Hdf5, WriterRefusesImpossibleNames) {
  EXPECT_FALSE(Hdf5Bytes({{"", Floats({1}, {1})}}).ok());
  EXPECT_THAT(Hdf5Bytes({{"a", Floats({1}, {1})}, {"a", Floats({1}, {1})}}),
              StatusHasMessage("HDF5: 'a' cannot be a dataset"));
  EXPECT_THAT(Hdf5Bytes({{"a", Floats({1}, {1})}, {"a/b", Floats({1}, {1})}}),
              StatusHasMessage("HDF5: 'a' cannot be a group"));
}

TEST(Hdf5, ReadsKerasOwnFile) {
  ASSERT_OK_AND_ASSIGN(const std::vector<ZipMember> members, ReadZip(Slurp(DataPath("keras/small.keras")), "f"));
  const auto weights = std::ranges::find(members, "model.weights.h5", &ZipMember::name);
  ASSERT_NE(weights, members.end());
  ASSERT_OK_AND_ASSIGN(const std::vector<NamedTensor> datasets, ReadHdf5(weights->bytes, "f"));
  ASSERT_EQ(datasets.size(), 10u);
  EXPECT_EQ(datasets[0].name, "layers/dense/vars/0");
  EXPECT_THAT(datasets[0].value.shape(), ElementsAre(4, 3));
}

TEST(Hdf5, DamageIsAnError) {
  const auto parse = [](const std::string& bytes) { return ReadHdf5(bytes, "f").status(); };
  const std::string seed = *Hdf5Bytes(Weights());
  ExpectTruncationsAreErrors(seed, parse, 211);
  CountUndetectedFlips(seed, parse, 8 * 61 + 3);
  EXPECT_THAT(parse(""), StatusHasMessage("f: not an HDF5 file, or cut or damaged at its start"));
  EXPECT_THAT(parse("PK"), StatusHasMessage("f: not an HDF5 file, or cut or damaged at its start"));
}

TEST(Hdf5, SaysWhereItsHelperIsMissing) {
  ::setenv("FUSEBOX_H5READ", "/no/such/helper", 1);
  EXPECT_THAT(
      ReadHdf5("x", "f"),
      StatusHasMessage("f: cannot be read as HDF5: '/no/such/helper': cannot be started: No such file or directory"));
  ::unsetenv("FUSEBOX_H5READ");
}

TEST(Hdf5, ACrashOfTheHelperIsAnError) {
  const TempFolder folder;
  testing::Spill(folder / "crash", "#!/bin/sh\nkill -SEGV $$\n");
  std::filesystem::permissions(folder / "crash", std::filesystem::perms(0700));
  ::setenv("FUSEBOX_H5READ", (folder / "crash").c_str(), 1);
  EXPECT_THAT(ReadHdf5("x", "f"), StatusHasMessage(HasSubstr("f: damaged HDF5 file: its reader ended with signal 11")));
  ::unsetenv("FUSEBOX_H5READ");
}

// A file that `fill` writes with the C API.
std::string Made(const TempFolder& folder, const std::function<void(hid_t)>& fill) {
  const hid_t file = H5Fcreate((folder / "made.h5").c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  fill(file);
  H5Fclose(file);
  return Slurp(folder / "made.h5");
}

void AddDataset(hid_t file, const char* name, hid_t type, const std::vector<hsize_t>& dims, hid_t properties,
                const float* data) {
  const hid_t space = H5Screate_simple(int(dims.size()), dims.data(), nullptr);
  const hid_t dataset = H5Dcreate2(file, name, type, space, H5P_DEFAULT, properties, H5P_DEFAULT);
  if (data != nullptr) H5Dwrite(dataset, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, data);
  H5Dclose(dataset);
  H5Sclose(space);
}

TEST(Hdf5, ReadsOtherLayoutsOfNumbers) {
  const TempFolder folder;
  const std::vector<float> values = {1, -2, 3.5f, 4};
  const std::string bytes = Made(folder, [&](hid_t file) {
    AddDataset(file, "big", H5T_IEEE_F32BE, {4}, H5P_DEFAULT, values.data());
    AddDataset(file, "double", H5T_IEEE_F64BE, {2, 2}, H5P_DEFAULT, values.data());
    AddDataset(file, "short", H5T_STD_I16BE, {4}, H5P_DEFAULT, values.data());
    const hid_t packed = H5Pcreate(H5P_DATASET_CREATE);
    const hsize_t chunk[1] = {3};
    H5Pset_chunk(packed, 1, chunk);
    H5Pset_shuffle(packed);
    H5Pset_deflate(packed, 9);
    AddDataset(file, "packed", H5T_IEEE_F32LE, {4}, packed, values.data());
    H5Pclose(packed);
  });
  ASSERT_OK_AND_ASSIGN(const std::vector<NamedTensor> datasets, ReadHdf5(bytes, "f"));
  ASSERT_EQ(datasets.size(), 4u);
  EXPECT_THAT(datasets[0].value.values<float>(), ElementsAre(1, -2, 3.5f, 4));
  EXPECT_THAT(datasets[1].value.values<double>(), ElementsAre(1, -2, 3.5, 4));
  EXPECT_THAT(datasets[2].value.values<float>(), ElementsAre(1, -2, 3.5f, 4));
  EXPECT_THAT(datasets[3].value.values<int32_t>(), ElementsAre(1, -2, 3, 4));
}

TEST(Hdf5, RefusesWhatWeightsDoNotHave) {
  const TempFolder folder;
  const float one = 1;
  const std::pair<const char*, std::function<void(hid_t)>> cases[] = {
      {"link is a link to a path or another file",
       [](hid_t file) { H5Lcreate_external("/etc/passwd", "/x", file, "link", H5P_DEFAULT, H5P_DEFAULT); }},
      {"link is a link to a path or another file",
       [](hid_t file) { H5Lcreate_soft("/link", file, "link", H5P_DEFAULT, H5P_DEFAULT); }},
      {"groups are nested deeper than 32",
       [](hid_t file) {
         const hid_t group = H5Gcreate2(file, "g", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
         H5Lcreate_hard(file, "/", group, "root", H5P_DEFAULT, H5P_DEFAULT);
         H5Gclose(group);
       }},
      {"the data of d lie in another file",
       [](hid_t file) {
         const hid_t properties = H5Pcreate(H5P_DATASET_CREATE);
         H5Pset_external(properties, "/etc/passwd", 0, 4);
         AddDataset(file, "d", H5T_IEEE_F32LE, {1}, properties, nullptr);
         H5Pclose(properties);
       }},
      {"dataset d is virtual",
       [](hid_t file) {
         const hid_t properties = H5Pcreate(H5P_DATASET_CREATE);
         const hsize_t dims[1] = {1};
         const hid_t space = H5Screate_simple(1, dims, nullptr);
         H5Pset_virtual(properties, space, "/tmp/other.h5", "x", space);
         AddDataset(file, "d", H5T_IEEE_F32LE, {1}, properties, nullptr);
         H5Sclose(space);
         H5Pclose(properties);
       }},
      {"dataset bomb is too large for a file of this size",
       [](hid_t file) { AddDataset(file, "bomb", H5T_IEEE_F32LE, {1u << 20, 1u << 10}, H5P_DEFAULT, nullptr); }},
      {"dataset bomb is too large",
       [](hid_t file) {
         const hid_t properties = H5Pcreate(H5P_DATASET_CREATE);
         const hsize_t chunk[3] = {1, 1, 1};
         H5Pset_chunk(properties, 3, chunk);
         AddDataset(file, "bomb", H5T_IEEE_F32LE, {1ull << 31, 1ull << 31, 1ull << 31}, properties, nullptr);
         H5Pclose(properties);
       }},
      {"is too large for a file of this size",
       [&](hid_t file) {
         AddDataset(file, "d", H5T_IEEE_F32LE, {1 << 20}, H5P_DEFAULT, nullptr);
         for (int i = 0; i < 64; ++i)
           H5Lcreate_hard(file, "d", file, std::to_string(i).c_str(), H5P_DEFAULT, H5P_DEFAULT);
       }},
      {"dataset text holds no plain numbers",
       [](hid_t file) {
         const hid_t type = H5Tcopy(H5T_C_S1);
         H5Tset_size(type, H5T_VARIABLE);
         AddDataset(file, "text", type, {1}, H5P_DEFAULT, nullptr);
         H5Tclose(type);
       }},
      {"type is neither a group nor a dataset",
       [](hid_t file) {
         const hid_t type = H5Tcopy(H5T_STD_I32LE);
         H5Tcommit2(file, "type", type, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
         H5Tclose(type);
       }},
      {"is packed by filter 4, which is not supported", [&](hid_t file) {
         const hid_t properties = H5Pcreate(H5P_DATASET_CREATE);
         const hsize_t chunk[1] = {64};
         H5Pset_chunk(properties, 1, chunk);
         H5Pset_szip(properties, H5_SZIP_NN_OPTION_MASK, 16);
         AddDataset(file, "d", H5T_IEEE_F32LE, {64}, properties, nullptr);
         H5Pclose(properties);
       }}};
  for (const auto& [message, fill] : cases) {
    EXPECT_THAT(ReadHdf5(Made(folder, fill), "f"), StatusHasMessage(HasSubstr(message)));
  }
  EXPECT_OK(
      ReadHdf5(Made(folder, [&](hid_t file) { AddDataset(file, "d", H5T_IEEE_F32LE, {1}, H5P_DEFAULT, &one); }), "f"));
}

}  // namespace
}  // namespace fusebox
