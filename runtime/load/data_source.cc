// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/load/data_source.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <fstream>

#include "fusebox/graph/status.h"
#include "fusebox/runtime/data/arrays.h"
#include "fusebox/runtime/data/out_of_memory.h"
#include "fusebox/runtime/files/formats.h"
#include "fusebox/runtime/files/idx.h"
#include "fusebox/runtime/files/libsvm.h"
#include "fusebox/runtime/files/npy.h"
#include "fusebox/runtime/files/npz.h"
#include "fusebox/runtime/plugins/objects.h"

namespace fusebox {
namespace {

struct Reference {
  std::string source;  // Without the slice.
  std::string slice;   // With its brackets, or empty.
};

Reference CutSlice(const std::string& text) {
  const size_t bracket = text.rfind('[');
  // A list among the attributes of a plugin ends in a bracket too: size=[1;2].
  if (!text.ends_with(']') || bracket == std::string::npos || (bracket > 0 && text[bracket - 1] == '='))
    return {text, ""};
  return {text.substr(0, bracket), text.substr(bracket)};
}

// Parses one end of a slice: a row, counted from the end if negative, or a percentage.
absl::StatusOr<int64_t> ParseEnd(std::string_view text, int64_t rows, std::string_view slice) {
  std::string_view digits = text;
  const bool percent = digits.ends_with('%');
  if (percent) digits.remove_suffix(1);
  int64_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc() || end != digits.data() + digits.size()) {
    return Refuse("slice {}: expected [begin:end] of rows or percentages, got '{}'", slice, text);
  }
  if (percent) {
    if (number < -100 || number > 100) return Refuse("slice {}: {} is no percentage", slice, text);
    number = int64_t(std::llround(double(rows) * double(number) / 100));
  }
  if (number < 0) number += rows;
  if (number < 0 || number > rows) return Refuse("slice {}: there are {} rows", slice, rows);
  return number;
}

const Tensor* Find(const std::vector<NamedTensor>& arrays, const char* name) {
  const auto it = std::ranges::find(arrays, name, &NamedTensor::name);
  return it != arrays.end() ? &it->value : nullptr;
}

bool Has(const std::vector<std::string>& names, const std::string& name) {
  return std::ranges::find(names, name) != names.end();
}

// x and y of the arrays that were read; `names` has all that there are.
absl::StatusOr<Data> FromArrays(const std::vector<NamedTensor>& arrays, const std::vector<std::string>& names,
                                const std::string& who) {
  const Tensor *x = Find(arrays, "x"), *y = Find(arrays, "y");
  if (x != nullptr && y != nullptr) return Data{*x, *y};
  return Refuse("'{}': expected the arrays 'x' and 'y', found {}", who, names.empty() ? "none" : QuotedNames(names));
}

bool IsFile(const std::string& path) {
  std::error_code error;
  return std::filesystem::is_regular_file(path, error);
}

// The place of the ',' between two paths: where files stand on both sides, else the first one.
size_t CommaOfPair(const std::string& pair) {
  const size_t first = pair.find(',');
  for (size_t comma = first; comma != std::string::npos; comma = pair.find(',', comma + 1)) {
    if (IsFile(pair.substr(0, comma)) && IsFile(pair.substr(comma + 1))) return comma;
  }
  return first;
}

// Reads an .npy or an IDX file, which its first bytes tell whatever its name is.
absl::StatusOr<Tensor> ReadOneArray(const std::string& path) {
  if (const std::string refused = WhyNotRead(path); !refused.empty()) return Refuse("{}", refused);
  char first[kNpyMagic.size()] = {};
  std::ifstream(path, std::ios::binary).read(first, sizeof first);
  if (IsNamedAs(path, Format::kNpy) || BeginsAs({first, sizeof first}, Format::kNpy)) return ReadNpy(path);
  const FileFormat* const format = FormatOfName(path);
  if (IsFile(path) && format != nullptr && format->format != Format::kIdx) {
    return Refuse("'{}': an .npy or IDX file expected on each side of the ',', got {}", path, format->name);
  }
  return ReadIdx(path);
}

// Reads x and y from two files with a ',' between.
absl::StatusOr<Data> FromPair(const std::string& pair) {
  const size_t comma = CommaOfPair(pair);
  Data data;
  FUSEBOX_ASSIGN_OR_RETURN(data.x, ReadOneArray(pair.substr(0, comma)));
  FUSEBOX_ASSIGN_OR_RETURN(data.y, ReadOneArray(pair.substr(comma + 1)));
  return data;
}

absl::StatusOr<Data> FromPlugin(const std::string& text) {
  // "id", "id:split" or "id:key=value,.../split"
  const size_t colon = text.find(':');
  std::string item = text, split;
  if (colon != std::string::npos) {
    const std::string rest = text.substr(colon + 1);
    if (rest.find('=') == std::string::npos) {
      item = text.substr(0, colon);
      split = rest;
    } else if (const size_t slash = text.rfind('/'); slash > colon) {
      item = text.substr(0, slash);
      split = text.substr(slash + 1);
    }
  }
  FUSEBOX_ASSIGN_OR_RETURN(const ItemSpec spec, ParseItemSpec(item));
  FUSEBOX_ASSIGN_OR_RETURN(const DatasetObject dataset, DatasetObject::Create(Registry::Default(), spec));
  if (split.empty()) {
    FUSEBOX_ASSIGN_OR_RETURN(const std::vector<DatasetObject::Split> splits, dataset.Splits());
    if (splits.empty()) return Refuse("data source '{}' has no splits", item);
    split = splits[0].name;
  }
  FUSEBOX_ASSIGN_OR_RETURN(const DatasetObject::Arrays arrays, dataset.Load(split));
  std::vector<NamedTensor> named;
  std::vector<std::string> names;
  for (const auto& [name, value] : arrays) {
    named.push_back({name, value});
    names.push_back(name);
  }
  return FromArrays(named, names, text);
}

bool IsTable(const FileFormat& format) { return format.format == Format::kCsv || format.format == Format::kTsv; }

absl::StatusOr<Data> FromFile(const FileFormat& format, const std::string& path, const TableOptions& table) {
  if (IsTable(format)) return LoadTable(path, table);
  if (format.read_arrays != nullptr) {
    FUSEBOX_ASSIGN_OR_RETURN(const std::vector<std::string> names, NpzNames(path));
    FUSEBOX_ASSIGN_OR_RETURN(
        const std::vector<NamedTensor> arrays,
        format.read_arrays(path, [](const std::string& name) { return name == "x" || name == "y"; }));
    return FromArrays(arrays, names, path);
  }
  FUSEBOX_ASSIGN_OR_RETURN(LibsvmData data,
                           ReadLibsvm(path, {.features = table.features, .first_index = table.first_index}));
  return Data{std::move(data.x), std::move(data.y)};
}

// Whether LoadData reads x and y from one file of the format.
bool HoldsBoth(const FileFormat& format) {
  return IsTable(format) || format.format == Format::kLibsvm || format.format == Format::kSvmlight ||
         format.read_arrays != nullptr;
}

absl::StatusOr<Data> FromAnything(const std::string& source, const TableOptions& table) {
  const bool pair = source.find(',') != std::string::npos && !IsFile(source);
  const FileFormat* const format = FormatOfName(source);
  if (pair && (IsFile(source.substr(0, CommaOfPair(source))) || IsFile(source.substr(CommaOfPair(source) + 1)) ||
               (format != nullptr && !HoldsBoth(*format)))) {
    return FromPair(source);
  }
  if (const std::string refused = WhyNotRead(source); !refused.empty()) return Refuse("{}", refused);
  if (format != nullptr && HoldsBoth(*format)) return FromFile(*format, source, table);
  absl::StatusOr<Data> data = FromPlugin(source);
  if (!data.ok() && absl::IsNotFound(data.status()) && std::filesystem::exists(source)) {
    return Refuse(
        "'{}': expected .npz, .csv, .libsvm, two .npy or IDX files with a ',' between, or a data source's name",
        source);
  }
  return data;
}

}  // namespace

absl::StatusOr<RowRange> ParseSlice(std::string_view slice, int64_t rows) {
  const std::string_view inside = slice.substr(1, slice.size() - 2);
  const size_t colon = inside.find(':');
  if (colon == std::string_view::npos) return Refuse("slice {}: expected [begin:end], as in [:100] or [80%:]", slice);
  RowRange range{0, rows};
  if (colon > 0) {
    FUSEBOX_ASSIGN_OR_RETURN(range.begin, ParseEnd(inside.substr(0, colon), rows, slice));
  }
  if (colon + 1 < inside.size()) {
    FUSEBOX_ASSIGN_OR_RETURN(range.end, ParseEnd(inside.substr(colon + 1), rows, slice));
  }
  if (range.begin >= range.end) return Refuse("slice {}: has no rows of {}", slice, rows);
  return range;
}

absl::StatusOr<DataArg> LoadDataFor(const ModelConfig& model, const std::string& reference, const TableOptions& table) {
  const auto [source, slice] = CutSlice(reference);
  const FileFormat* const format = FormatOfName(source);
  std::vector<std::string> names;
  if (format != nullptr && format->read_arrays != nullptr && IsFile(source)) {
    FUSEBOX_ASSIGN_OR_RETURN(names, NpzNames(source));
  }
  if (names.empty() || (Has(names, "x") && Has(names, "y"))) {
    FUSEBOX_ASSIGN_OR_RETURN(const Data data, LoadData(reference, table));
    return DataArg(data);
  }
  const std::vector<std::string> inputs = InputNames(model), outputs = OutputNames(model);
  const bool all_inputs = std::ranges::all_of(inputs, [&](const std::string& name) { return Has(names, name); });
  for (const std::string& name : names) {
    // With all inputs there, others are arrays beside those that are asked for.
    if (all_inputs || Has(inputs, name) || Has(outputs, name)) continue;
    return Refuse("'{}': model '{}' has no input or output '{}': its inputs are {}, its outputs {}", source, model.name,
                  name, QuotedNames(inputs), QuotedNames(outputs));
  }
  FUSEBOX_ASSIGN_OR_RETURN(std::vector<NamedTensor> arrays, format->read_arrays(source, [&](const std::string& name) {
    return Has(inputs, name) || Has(outputs, name);
  }));
  std::vector<NamedTensor> x, y;
  for (NamedTensor& array : arrays) {
    const bool is_input = Has(inputs, array.name);
    if (array.value.rank() < 1) return Refuse("'{}': '{}' has no samples: it is a scalar", source, array.name);
    if (!slice.empty()) {
      FUSEBOX_ASSIGN_OR_RETURN(const RowRange range, ParseSlice(slice, array.value.rows()));
      array.value = array.value.Rows(range.begin, range.end);
    }
    (is_input ? x : y).push_back(std::move(array));
  }
  return DataArg(std::move(x), std::move(y));
}

absl::StatusOr<Data> LoadData(const std::string& reference, const TableOptions& table) {
  return WithoutBadAlloc([&]() -> absl::StatusOr<Data> {
    const auto [source, slice] = CutSlice(reference);
    FUSEBOX_ASSIGN_OR_RETURN(Data data, FromAnything(source, table));
    if (data.x.rank() < 1 || data.y.rank() < 1 || data.x.rows() != data.y.rows()) {
      return Refuse("'{}': x has {} samples, y has {}", source, data.x.rank() < 1 ? 0 : data.x.rows(),
                    data.y.rank() < 1 ? 0 : data.y.rows());
    }
    if (slice.empty()) return data;
    FUSEBOX_ASSIGN_OR_RETURN(const RowRange range, ParseSlice(slice, data.x.rows()));
    return Data{data.x.Rows(range.begin, range.end), data.y.Rows(range.begin, range.end)};
  });
}

}  // namespace fusebox
