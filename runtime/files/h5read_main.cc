// SPDX-License-Identifier: Apache-2.0
// fusebox-h5read [--text]: an HDF5 file on descriptor 0, its datasets as safetensors on descriptor 1. With --text also
// the attributes of groups that are texts or lists of texts, as JSON in the safetensors' metadata:
// "model_weights@layer_names".
//
// A process of its own, since libhdf5 crashes on some damaged files: then only this process ends. It opens no file but
// the one it was given, loads no filter plugin, and its memory and time are limited. Names are paths from the root,
// "layers/dense/vars/0". Anything that a file of plain weights does not have is refused: links out of the file or to a
// path, virtual and external data, text, compound types. An error is one line on descriptor 2 and exit code 1.
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <exception>
#include <string>
#include <string_view>
#include <vector>

#include "fmt/format.h"
#include "fusebox/runtime/files/hdf5_handle.h"
#include "nlohmann/json.hpp"

namespace fusebox {
namespace {

constexpr uint64_t kMiB = uint64_t{1} << 20;
constexpr int kMaxDepth = 32;
constexpr size_t kMaxObjects = 100'000;  // Counted by path: hard links can make a small file endless.
constexpr size_t kMaxText = 64 * kMiB;   // Of all attributes.
constexpr rlim_t kCpuSeconds = 60;

[[noreturn]] void Fail(const std::string& message) {
  fmt::print(stderr, "{}\n", message);
  std::_Exit(1);
}

template <class T>
T Require(T result, const std::string& what) {
  if (result < 0) Fail(fmt::format("damaged HDF5 file: cannot read {}", what));
  return result;
}

Hdf5Handle Open(hid_t id, herr_t (*close)(hid_t), const std::string& what) { return {Require(id, what), close}; }

struct Dataset {
  std::string path;
  std::string dtype;  // As safetensors calls it.
  std::vector<hsize_t> shape;
  uint64_t bytes = 0;
};

// The type in the file, but little-endian: what is written out.
Hdf5Handle MemoryType(hid_t dataset, const std::string& path) {
  const Hdf5Handle locked = Open(H5Dget_type(dataset), H5Tclose, "the type of " + path);
  Hdf5Handle type = Open(H5Tcopy(locked), H5Tclose, "the type of " + path);
  const H5T_class_t kind = H5Tget_class(type);
  if (kind == H5T_INTEGER || kind == H5T_FLOAT) Require(H5Tset_order(type, H5T_ORDER_LE), "the type of " + path);
  return type;
}

std::string DTypeName(hid_t type, const std::string& path) {
  const size_t size = H5Tget_size(type);
  switch (H5Tget_class(type)) {
    case H5T_OPAQUE:  // Keras's bfloat16: NumPy has no name for it.
      if (size == 2) return "BF16";
      break;
    case H5T_INTEGER:
      for (const auto& [number, name] : {std::pair{H5T_STD_I8LE, "I8"},
                                         {H5T_STD_I16LE, "I16"},
                                         {H5T_STD_I32LE, "I32"},
                                         {H5T_STD_I64LE, "I64"},
                                         {H5T_STD_U8LE, "U8"},
                                         {H5T_STD_U16LE, "U16"},
                                         {H5T_STD_U32LE, "U32"},
                                         {H5T_STD_U64LE, "U64"}}) {
        // Sizes of one byte have no order to compare.
        if (H5Tget_size(number) == size && H5Tget_sign(number) == H5Tget_sign(type) &&
            H5Tget_precision(type) == 8 * size && H5Tget_offset(type) == 0) {
          return name;
        }
      }
      break;
    case H5T_FLOAT: {
      if (H5Tequal(type, H5T_IEEE_F32LE) > 0) return "F32";
      if (H5Tequal(type, H5T_IEEE_F64LE) > 0) return "F64";
      size_t sign, exponent, exponent_bits, mantissa, mantissa_bits;
      Require(H5Tget_fields(type, &sign, &exponent, &exponent_bits, &mantissa, &mantissa_bits), "the type of " + path);
      if (size == 2 && sign == 15 && mantissa == 0 && exponent == mantissa_bits) {
        if (exponent_bits == 5 && mantissa_bits == 10 && H5Tget_ebias(type) == 15) return "F16";
        if (exponent_bits == 8 && mantissa_bits == 7 && H5Tget_ebias(type) == 127) return "BF16";
      }
      break;
    }
    case H5T_ENUM: {  // h5py's bool.
      int8_t no = -1, yes = -1;
      if (size == 1 && H5Tget_nmembers(type) == 2 && H5Tenum_valueof(type, "FALSE", &no) >= 0 &&
          H5Tenum_valueof(type, "TRUE", &yes) >= 0 && no == 0 && yes == 1) {
        return "BOOL";
      }
      break;
    }
    default:
      break;
  }
  Fail(fmt::format("dataset {} holds no plain numbers", path));
}

// Only what lies in the file itself and was packed, if at all, by a filter that libhdf5 brings.
void CheckStorage(hid_t dataset, const std::string& path) {
  const Hdf5Handle properties = Open(H5Dget_create_plist(dataset), H5Pclose, "the properties of " + path);
  const H5D_layout_t layout = H5Pget_layout(properties);
  if (layout != H5D_COMPACT && layout != H5D_CONTIGUOUS && layout != H5D_CHUNKED) {
    Fail(fmt::format("dataset {} is virtual", path));
  }
  if (Require(H5Pget_external_count(properties), "the properties of " + path) > 0) {
    Fail(fmt::format("the data of {} lie in another file", path));
  }
  const int filters = Require(H5Pget_nfilters(properties), "the filters of " + path);
  for (int i = 0; i < filters; ++i) {
    unsigned flags = 0, info = 0;
    size_t values = 0;
    const H5Z_filter_t filter = H5Pget_filter2(properties, unsigned(i), &flags, &values, nullptr, 0, nullptr, &info);
    if (filter != H5Z_FILTER_DEFLATE && filter != H5Z_FILTER_SHUFFLE && filter != H5Z_FILTER_FLETCHER32) {
      Fail(fmt::format("dataset {} is packed by filter {}, which is not supported", path, int(filter)));
    }
  }
}

Dataset Describe(hid_t dataset, const std::string& path) {
  CheckStorage(dataset, path);
  Dataset out{.path = path, .dtype = {}, .shape = {}};
  const Hdf5Handle type = MemoryType(dataset, path);
  out.dtype = DTypeName(type, path);
  const Hdf5Handle space = Open(H5Dget_space(dataset), H5Sclose, "the shape of " + path);
  const H5S_class_t kind = H5Sget_simple_extent_type(space);
  if (kind != H5S_SCALAR && kind != H5S_SIMPLE) Fail(fmt::format("dataset {} has no elements", path));
  out.shape.resize(size_t(Require(H5Sget_simple_extent_ndims(space), "the shape of " + path)));
  if (!out.shape.empty()) Require(H5Sget_simple_extent_dims(space, out.shape.data(), nullptr), "the shape of " + path);
  out.bytes = H5Tget_size(type);
  for (const hsize_t dim : out.shape) {
    if (__builtin_mul_overflow(out.bytes, dim, &out.bytes)) Fail(fmt::format("dataset {} is too large", path));
  }
  return out;
}

herr_t AddName(hid_t, const char* name, const H5L_info_t* info, void* names) {
  auto& list = *static_cast<std::vector<std::pair<std::string, H5L_type_t>>*>(names);
  if (list.size() > kMaxObjects) return -1;
  list.emplace_back(name, info->type);
  return 0;
}

herr_t AddAttributeName(hid_t, const char* name, const H5A_info_t*, void* names) {
  auto& list = *static_cast<std::vector<std::string>*>(names);
  if (list.size() > kMaxObjects) return -1;
  list.emplace_back(name);
  return 0;
}

// A text or a list of texts; null for an attribute that is neither. A list without elements may be of any type.
nlohmann::ordered_json ReadText(hid_t attribute, const std::string& path) {
  const Hdf5Handle type = Open(H5Aget_type(attribute), H5Tclose, "the type of " + path);
  const Hdf5Handle space = Open(H5Aget_space(attribute), H5Sclose, "the shape of " + path);
  const bool is_list = H5Sget_simple_extent_type(space) == H5S_SIMPLE;
  const hssize_t count = Require(H5Sget_simple_extent_npoints(space), "the shape of " + path);
  if (uint64_t(count) > kMaxObjects) Fail(fmt::format("attribute {} has too many elements", path));
  if (is_list && count == 0) return nlohmann::ordered_json::array();
  if (H5Tget_class(type) != H5T_STRING || count == 0) return nullptr;
  const Hdf5Handle memory = Open(H5Tcopy(H5T_C_S1), H5Tclose, "the type of " + path);
  Require(H5Tset_cset(memory, H5Tget_cset(type)), "the type of " + path);
  std::vector<std::string> texts;
  if (Require(H5Tis_variable_str(type), "the type of " + path) > 0) {
    Require(H5Tset_size(memory, H5T_VARIABLE), "the type of " + path);
    std::vector<char*> read(size_t(count), nullptr);
    Require(H5Aread(attribute, memory, read.data()), path);
    for (const char* text : read) texts.emplace_back(text != nullptr ? text : "");
  } else {
    const size_t size = H5Tget_size(type);
    if (size > kMaxText / size_t(count)) Fail(fmt::format("attribute {} is too large", path));
    Require(H5Tset_size(memory, size + 1), "the type of " + path);  // One for the end.
    std::string read(size_t(count) * (size + 1), '\0');
    Require(H5Aread(attribute, memory, read.data()), path);
    for (size_t i = 0; i < size_t(count); ++i) texts.emplace_back(read.c_str() + i * (size + 1));
  }
  if (is_list) return texts;
  return texts[0];
}

class Walker {
 public:
  Walker(uint64_t budget, bool with_text) : budget_(budget), with_text_(with_text) {}

  // Adds all datasets below the group, in alphabetical order.
  void Visit(hid_t group, const std::string& prefix, int depth) {
    if (depth > kMaxDepth) Fail(fmt::format("groups are nested deeper than {}", kMaxDepth));
    if (with_text_) VisitAttributes(group, prefix);
    std::vector<std::pair<std::string, H5L_type_t>> names;
    Require(H5Literate(group, H5_INDEX_NAME, H5_ITER_INC, nullptr, AddName, &names), "group /" + prefix);
    for (const auto& [name, type] : names) {
      const std::string path = prefix.empty() ? name : fmt::format("{}/{}", prefix, name);
      if (++objects_ > kMaxObjects) Fail(fmt::format("more than {} objects", kMaxObjects));
      if (type != H5L_TYPE_HARD) Fail(fmt::format("{} is a link to a path or another file", path));
      const Hdf5Handle object = Open(H5Oopen(group, name.c_str(), H5P_DEFAULT), H5Oclose, path);
      const H5I_type_t kind = H5Iget_type(object);
      if (kind == H5I_GROUP) Visit(object, path, depth + 1);
      if (kind == H5I_DATASET) Add(Describe(object, path));
      if (kind != H5I_GROUP && kind != H5I_DATASET) Fail(fmt::format("{} is neither a group nor a dataset", path));
    }
  }

  const std::vector<Dataset>& datasets() const { return datasets_; }
  // By "group@attribute".
  const nlohmann::ordered_json& texts() const { return texts_; }

 private:
  void VisitAttributes(hid_t group, const std::string& prefix) {
    std::vector<std::string> names;
    Require(H5Aiterate2(group, H5_INDEX_NAME, H5_ITER_INC, nullptr, AddAttributeName, &names),
            "the attributes of /" + prefix);
    for (const std::string& name : names) {
      const std::string path = prefix + "@" + name;
      if (++objects_ > kMaxObjects) Fail(fmt::format("more than {} objects", kMaxObjects));
      const Hdf5Handle attribute = Open(H5Aopen(group, name.c_str(), H5P_DEFAULT), H5Aclose, path);
      const nlohmann::ordered_json text = ReadText(attribute, path);
      if (text.is_null()) continue;
      std::string dumped = text.dump();  // Throws on what is no UTF-8.
      text_bytes_ += dumped.size();
      if (text_bytes_ > kMaxText) Fail("its attributes are too large");
      texts_[path] = std::move(dumped);
    }
  }

  void Add(Dataset dataset) {
    if (dataset.bytes > budget_) Fail(fmt::format("dataset {} is too large for a file of this size", dataset.path));
    budget_ -= dataset.bytes;
    datasets_.push_back(std::move(dataset));
  }

  uint64_t budget_;
  bool with_text_;
  size_t objects_ = 0, text_bytes_ = 0;
  nlohmann::ordered_json texts_ = nlohmann::ordered_json::object();
  std::vector<Dataset> datasets_;
};

void WriteAll(const char* data, uint64_t size) {
  while (size > 0) {
    const ssize_t n = ::write(1, data, size);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) Fail("cannot write the result");
    data += n;
    size -= uint64_t(n);
  }
}

void WriteHeader(const std::vector<Dataset>& datasets, const nlohmann::ordered_json& texts) {
  nlohmann::ordered_json header = nlohmann::ordered_json::object();
  if (!texts.empty()) header["__metadata__"] = texts;
  uint64_t offset = 0;
  for (const Dataset& dataset : datasets) {
    header[dataset.path] = {
        {"dtype", dataset.dtype}, {"shape", dataset.shape}, {"data_offsets", {offset, offset + dataset.bytes}}};
    offset += dataset.bytes;
  }
  const std::string text = header.dump();  // Throws on names that are no UTF-8.
  std::string bytes;
  for (int i = 0; i < 8; ++i) bytes += char(uint64_t(text.size()) >> (8 * i) & 0xff);
  bytes += text;
  WriteAll(bytes.data(), bytes.size());
}

void WriteDataset(hid_t file, const Dataset& dataset) {
  const Hdf5Handle opened = Open(H5Dopen2(file, dataset.path.c_str(), H5P_DEFAULT), H5Dclose, dataset.path);
  const Hdf5Handle type = MemoryType(opened, dataset.path);
  std::string data(dataset.bytes, '\0');
  if (dataset.bytes > 0) Require(H5Dread(opened, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data.data()), dataset.path);
  WriteAll(data.data(), data.size());
}

void Limit(__rlimit_resource resource, rlim_t value) {
  const rlimit limit{value, value};
  ::setrlimit(resource, &limit);  // A lower limit that is set already stays.
}

void Run(bool with_text) {
  struct stat info;
  if (::fstat(0, &info) != 0 || !S_ISREG(info.st_mode)) Fail("an HDF5 file expected on descriptor 0");
  const uint64_t size = uint64_t(info.st_size);
  const uint64_t budget = 8 * size + 64 * kMiB;  // Of data: packed weights are seldom a tenth of the plain ones.
  Limit(RLIMIT_CORE, 0);
  Limit(RLIMIT_CPU, kCpuSeconds);
#if !defined(FUSEBOX_SANITIZED)  // Whose shadow memory takes terabytes of addresses.
  Limit(RLIMIT_AS, 2 * budget + 512 * kMiB);
#endif
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
  H5PLset_loading_state(0);
  // The stdio driver, since the default one looks for the folder of the file, and a file in memory lies in none.
  const Hdf5Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
  H5Pset_fapl_stdio(access);
  const Hdf5Handle file(H5Fopen("/proc/self/fd/0", H5F_ACC_RDONLY, access), H5Fclose);
  if (!file.ok()) Fail("not an HDF5 file, or cut or damaged at its start");
  Walker walker(budget, with_text);
  const Hdf5Handle root = Open(H5Gopen2(file, "/", H5P_DEFAULT), H5Gclose, "the root group");
  walker.Visit(root, "", 0);
  WriteHeader(walker.datasets(), walker.texts());
  for (const Dataset& dataset : walker.datasets()) WriteDataset(file, dataset);
}

}  // namespace
}  // namespace fusebox

int main(int argc, char** argv) {
  // Ends with the program that asks, and gains no rights. Where the kernel cannot do either, the limits of Run() remain.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  try {
    fusebox::Run(argc > 1 && std::string_view(argv[1]) == "--text");
  } catch (const std::exception& e) {
    fusebox::Fail(e.what());
  }
  // Closing takes time and can crash on a damaged file of which all has been read.
  std::_Exit(0);
}
