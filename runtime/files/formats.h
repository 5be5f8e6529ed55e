// SPDX-License-Identifier: Apache-2.0
// The file formats that fusebox knows: one table of how a file is recognised, what it can hold, and what reads and
// writes it. Everything that opens or saves a file by its name, or by its first bytes, asks this table. A new format is
// a new row.
//
// runtime/files/ reads and writes bytes on disk: NumPy's files, CSV, HDF5, zip, ..., and replaces files whole or not at
// all (atomic_file.h). Of runtime/ it sees data/ alone.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "fusebox/runtime/data/named_tensor.h"
#include "fusebox/runtime/files/npz.h"

namespace fusebox {

enum class Format {
  kKeras,
  kKerasWeights,
  kKerasH5,
  kProgram,
  kOnnx,
  kNpz,
  kNpy,
  kIdx,
  kCsv,
  kTsv,
  kLibsvm,
  kSvmlight,
  kSafetensors
};

// What a file can hold.
enum Content : uint32_t {
  kModel = 1,    // The description of a model.
  kWeights = 2,  // Of a model.
  kData = 4,     // Samples.
  kHistory = 8,  // Of a training.
};

struct FileFormat {
  Format format;
  std::string_view name;    // For messages.
  std::string_view ending;  // Of a file's name: ".keras".
  std::string_view within;  // Where no ending tells: what the name has in it.
  std::string_view magic;   // The first bytes of a file; empty if they tell nothing.
  // Of Content: what such a file can hold, and what of it fusebox reads and writes.
  uint32_t holds, reads, writes;
  // Reads the arrays that the filter chooses, or all, of a file that holds several by name.
  absl::StatusOr<std::vector<NamedTensor>> (*read_arrays)(const std::string& path, const ArrayFilter& wanted) = nullptr;

  bool Reads(uint32_t contents) const { return (reads & contents) == contents; }
  bool Writes(uint32_t contents) const { return (writes & contents) == contents; }
};

// Whether a file's name has the ending, in any case of its letters.
bool EndsWithIgnoringCase(std::string_view path, std::string_view ending);

// In the order in which names are compared: ".weights.h5" comes before ".h5".
std::span<const FileFormat> FileFormats();

// The format that a file of this name has; null if none is known.
const FileFormat* FormatOfName(std::string_view path);
inline bool IsNamedAs(std::string_view path, Format format) {
  const FileFormat* const found = FormatOfName(path);
  return found != nullptr && found->format == format;
}

// Why a file of data of another program, which is known by its name's ending, is not read, and what to do instead. Empty
// if the ending is none of these.
std::string WhyNotRead(std::string_view path);

// Whether a file that begins with these bytes may be of the format. True where first bytes tell nothing.
bool BeginsAs(std::string_view bytes, Format format);

}  // namespace fusebox
