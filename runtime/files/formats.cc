// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/files/formats.h"

#include <algorithm>
#include <array>

#include "fusebox/runtime/files/hdf5_reader.h"
#include "fusebox/runtime/files/npy.h"
#include "fusebox/runtime/files/npz.h"
#include "fusebox/runtime/files/zip_archive.h"

namespace fusebox {
namespace {

constexpr uint32_t kBoth = kModel | kWeights;

// clang-format off
constexpr FileFormat kFormats[] = {
    // format               name                ending          within magic       holds             reads  writes
    {Format::kKeras,        "Keras 3 model",    ".keras",       "",    kZipMagic,  kBoth,            kBoth, kBoth},
    {Format::kKerasWeights, "Keras weights",    ".weights.h5",  "",    kHdf5Magic, kWeights,         kWeights,
     kWeights},
    {Format::kKerasH5,      "Keras HDF5 model", ".h5",          "",    kHdf5Magic, kBoth,            kBoth, 0},
    {Format::kProgram,      "fusebox program",  ".fbg",         "",    "",         kModel,           kModel, kModel},
    {Format::kOnnx,         "ONNX",             ".onnx",        "",    "",         kBoth,            0,     0},
    {Format::kNpz,          "NumPy archive",    ".npz",         "",    kZipMagic,  kData,            kData, kData,
     ReadNpz},
    {Format::kNpy,          "NumPy array",      ".npy",         "",    kNpyMagic,  kData,            kData, kData},
    {Format::kCsv,          "CSV",              ".csv",         "",    "",         kData | kHistory, kData | kHistory,
     kHistory},
    {Format::kTsv,          "CSV with tabs",    ".tsv",         "",    "",         kData,            kData, 0},
    {Format::kLibsvm,       "libsvm",           ".libsvm",      "",    "",         kData,            kData, 0},
    {Format::kSvmlight,     "svmlight",         ".svmlight",    "",    "",         kData,            kData, 0},
    {Format::kSafetensors,  "safetensors",      ".safetensors", "",    "",         kWeights,         0,     0},
    {Format::kIdx,          "IDX",              "",             "idx", "",         kData,            kData, 0},
};
// clang-format on

// Data of other programs: ending, name, and pandas's or another's function that reads it.
constexpr std::array<std::string_view, 3> kForeign[] = {{".parquet", "Parquet", "pandas.read_parquet"},
                                                        {".arrow", "Arrow", "pyarrow.feather.read_table"},
                                                        {".feather", "Feather", "pandas.read_feather"},
                                                        {".orc", "ORC", "pandas.read_orc"},
                                                        {".xlsx", "Excel", "pandas.read_excel"},
                                                        {".xls", "Excel", "pandas.read_excel"},
                                                        {".ods", "OpenDocument", "pandas.read_excel"},
                                                        {".pkl", "pickle", "pandas.read_pickle"},
                                                        {".pickle", "pickle", "pandas.read_pickle"},
                                                        {".mat", "MATLAB", "scipy.io.loadmat"},
                                                        {".tfrecord", "TFRecord", "tf.data.TFRecordDataset"},
                                                        {".json", "JSON", "pandas.read_json"},
                                                        {".jsonl", "JSON", "pandas.read_json"},
                                                        {".pt", "PyTorch", "torch.load"}};

}  // namespace

std::string WhyNotRead(std::string_view path) {
  for (const auto& [ending, name, reader] : kForeign) {
    if (!EndsWithIgnoringCase(path, ending)) continue;
    return fmt::format(
        "'{}': fusebox does not read {} files: read it with {} and save the data as .npz (numpy.savez) or "
        ".csv",
        path, name, reader);
  }
  return "";
}

bool EndsWithIgnoringCase(std::string_view path, std::string_view ending) {
  if (path.size() < ending.size()) return false;
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c; };
  return std::ranges::equal(path.substr(path.size() - ending.size()), ending, {}, lower, lower);
}

std::span<const FileFormat> FileFormats() { return kFormats; }

const FileFormat* FormatOfName(std::string_view path) {
  const auto is_named = [&](const FileFormat& row) {
    return row.ending.empty() ? path.find(row.within) != path.npos : EndsWithIgnoringCase(path, row.ending);
  };
  const auto* const row = std::ranges::find_if(kFormats, is_named);
  return row != std::end(kFormats) ? row : nullptr;
}

bool BeginsAs(std::string_view bytes, Format format) {
  const auto* const row = std::ranges::find(kFormats, format, &FileFormat::format);
  return row != std::end(kFormats) && bytes.starts_with(row->magic);
}

}  // namespace fusebox
