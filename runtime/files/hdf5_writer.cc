// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/files/hdf5_writer.h"

#include <mutex>
#include <set>

#include "fusebox/graph/status.h"
#include "fusebox/runtime/files/hdf5_handle.h"

namespace fusebox {
namespace {

Hdf5Handle BoolType() {
  Hdf5Handle type(H5Tenum_create(H5T_STD_I8LE), H5Tclose);
  int8_t value = 0;
  H5Tenum_insert(type, "FALSE", &value);
  value = 1;
  H5Tenum_insert(type, "TRUE", &value);
  return type;
}

// Tensors lie in memory in the machine's order, which on our platforms is the file's.
Hdf5Handle TypeOf(DType dtype) {
  const auto copy = [](hid_t type) { return Hdf5Handle(H5Tcopy(type), H5Tclose); };
  switch (dtype) {
    case DType::kF32:
      return copy(H5T_IEEE_F32LE);
    case DType::kF64:
      return copy(H5T_IEEE_F64LE);
    case DType::kI32:
      return copy(H5T_STD_I32LE);
    case DType::kI64:
      return copy(H5T_STD_I64LE);
    case DType::kU8:
      return copy(H5T_STD_U8LE);
    case DType::kBool:
      return BoolType();
    case DType::kError:
      break;
  }
  return {};
}

// A property list whose objects carry no time of creation.
Hdf5Handle Timeless(hid_t list_class) {
  Hdf5Handle list(H5Pcreate(list_class), H5Pclose);
  H5Pset_obj_track_times(list, false);
  return list;
}

absl::Status Failed(std::string_view what) { return absl::InternalError(fmt::format("HDF5: cannot write {}", what)); }

// "a/b" before "a/b/c", each once.
absl::Status MakeGroups(hid_t file, const std::string& path, std::set<std::string>& groups) {
  const Hdf5Handle properties = Timeless(H5P_GROUP_CREATE);
  for (size_t slash = path.find('/'); slash != std::string::npos; slash = path.find('/', slash + 1)) {
    const std::string group = path.substr(0, slash);
    if (!groups.insert(group).second) continue;
    const Hdf5Handle made(H5Gcreate2(file, group.c_str(), H5P_DEFAULT, properties, H5P_DEFAULT), H5Gclose);
    if (!made.ok()) return Refuse("HDF5: '{}' cannot be a group", group);
  }
  return absl::OkStatus();
}

absl::Status WriteDataset(hid_t file, const NamedTensor& dataset) {
  const Tensor& tensor = dataset.value;
  const std::vector<hsize_t> dims(tensor.shape().begin(), tensor.shape().end());
  const Hdf5Handle space(
      dims.empty() ? H5Screate(H5S_SCALAR) : H5Screate_simple(int(dims.size()), dims.data(), nullptr), H5Sclose);
  const Hdf5Handle type = TypeOf(tensor.dtype());
  const Hdf5Handle properties = Timeless(H5P_DATASET_CREATE);
  const Hdf5Handle made(H5Dcreate2(file, dataset.name.c_str(), type, space, H5P_DEFAULT, properties, H5P_DEFAULT),
                        H5Dclose);
  if (!made.ok()) return Refuse("HDF5: '{}' cannot be a dataset", dataset.name);
  if (tensor.bytes() > 0 && H5Dwrite(made, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, tensor.raw()) < 0)
    return Failed(dataset.name);
  return absl::OkStatus();
}

absl::StatusOr<std::string> Image(const std::vector<NamedTensor>& datasets) {
  constexpr size_t kGrowth = size_t{1} << 20;
  const Hdf5Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
  H5Pset_fapl_core(access, kGrowth, /*backing_store=*/false);
  const Hdf5Handle creation = Timeless(H5P_FILE_CREATE);
  const Hdf5Handle file(H5Fcreate("fusebox-in-memory", H5F_ACC_TRUNC, creation, access), H5Fclose);
  if (!file.ok()) return Failed("a file in memory");
  std::set<std::string> groups;
  for (const NamedTensor& dataset : datasets) {
    if (absl::Status status = MakeGroups(file, dataset.name, groups); !status.ok()) return status;
    if (absl::Status status = WriteDataset(file, dataset); !status.ok()) return status;
  }
  if (H5Fflush(file, H5F_SCOPE_GLOBAL) < 0) return Failed("its file");
  const ssize_t size = H5Fget_file_image(file, nullptr, 0);
  if (size <= 0) return Failed("its file");
  std::string bytes(size_t(size), '\0');
  if (H5Fget_file_image(file, bytes.data(), bytes.size()) != size) return Failed("its file");
  return bytes;
}

}  // namespace

absl::StatusOr<std::string> Hdf5Bytes(const std::vector<NamedTensor>& datasets) {
  for (const NamedTensor& dataset : datasets) Check(!dataset.value.empty(), "an empty tensor is written");
  static std::mutex mutex;  // Not every build of libhdf5 may be used by two threads at once.
  const std::lock_guard lock(mutex);
  // We report errors ourselves: libhdf5 would print them. The setting is the process's, so it is put back.
  H5E_auto2_t print = nullptr;
  void* data = nullptr;
  H5Eget_auto2(H5E_DEFAULT, &print, &data);
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
  absl::StatusOr<std::string> bytes = Image(datasets);
  H5Eset_auto2(H5E_DEFAULT, print, data);
  return bytes;
}

}  // namespace fusebox
