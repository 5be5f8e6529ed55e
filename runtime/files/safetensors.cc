// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/files/safetensors.h"

#include <map>
#include <optional>

#include "fusebox/graph/status.h"
#include "fusebox/runtime/files/bounded_reader.h"
#include "fusebox/runtime/files/json_text.h"
#include "fusebox/runtime/files/numeric_array.h"

namespace fusebox {
namespace {

constexpr uint64_t kMaxHeader = 100'000'000;  // As in the reference implementation.
constexpr size_t kAlignment = 8;              // Of the data.

std::optional<ElementFormat> FormatOf(const std::string& name) {
  static const std::map<std::string, ElementFormat> formats = {
      {"BOOL", {NumberKind::kBool, 1}},    {"U8", {NumberKind::kUnsigned, 1}},   {"I8", {NumberKind::kSigned, 1}},
      {"U16", {NumberKind::kUnsigned, 2}}, {"I16", {NumberKind::kSigned, 2}},    {"U32", {NumberKind::kUnsigned, 4}},
      {"I32", {NumberKind::kSigned, 4}},   {"U64", {NumberKind::kUnsigned, 8}},  {"I64", {NumberKind::kSigned, 8}},
      {"F16", {NumberKind::kFloat, 2}},    {"BF16", {NumberKind::kBfloat16, 2}}, {"F32", {NumberKind::kFloat, 4}},
      {"F64", {NumberKind::kFloat, 8}}};
  const auto found = formats.find(name);
  return found == formats.end() ? std::nullopt : std::optional(found->second);
}

const char* NameOf(DType dtype) {
  switch (dtype) {
    case DType::kF32:
      return "F32";
    case DType::kF64:
      return "F64";
    case DType::kI32:
      return "I32";
    case DType::kI64:
      return "I64";
    case DType::kU8:
      return "U8";
    case DType::kBool:
      return "BOOL";
    case DType::kError:
      break;
  }
  Check(false, "an empty tensor is written");
  return "";
}

struct Entry {
  ElementFormat format;
  std::vector<int64_t> shape;
  uint64_t begin = 0, end = 0;
};

std::optional<std::vector<int64_t>> Integers(const Json& list) {
  std::vector<int64_t> values;
  if (!list.is_array()) return std::nullopt;
  for (const Json& value : list) {
    if (!value.is_number_integer() || (value.is_number_unsigned() && value.get<uint64_t>() > uint64_t(INT64_MAX)) ||
        value.get<int64_t>() < 0) {
      return std::nullopt;
    }
    values.push_back(value.get<int64_t>());
  }
  return values;
}

// {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}
absl::StatusOr<Entry> ParseEntry(const Json& json, const std::string& who) {
  if (!json.is_object() || !json.contains("dtype") || !json.contains("shape") || !json.contains("data_offsets")) {
    return Refuse("{}: dtype, shape and data_offsets expected", who);
  }
  const std::string dtype = json["dtype"].is_string() ? json["dtype"].get<std::string>() : JsonText(json["dtype"]);
  const auto format = FormatOf(dtype);
  if (!format) return Refuse("{}: unknown dtype {}", who, dtype);
  auto shape = Integers(json["shape"]);
  const auto offsets = Integers(json["data_offsets"]);
  if (!shape || !offsets || offsets->size() != 2 || (*offsets)[0] > (*offsets)[1]) {
    return Refuse("{}: a shape and two ascending offsets expected, got {}", who, JsonText(json));
  }
  const Entry entry{*format, *std::move(shape), uint64_t((*offsets)[0]), uint64_t((*offsets)[1])};
  const auto size = CheckedBytes(entry.shape, uint64_t(format->bytes));
  if (!size || *size != entry.end - entry.begin) {
    return Refuse("{}: shape {} of {} does not take the {} bytes between its offsets", who, JsonText(json["shape"]),
                  dtype, entry.end - entry.begin);
  }
  return entry;
}

absl::StatusOr<Json> TakeHeader(BoundedReader& reader, const std::string& who) {
  const auto header_size = reader.TakeUint(8, std::endian::little, "the header's size");
  if (!header_size.ok()) return header_size.status();
  if (*header_size > kMaxHeader)
    return Refuse("{}: a header of at most {} bytes expected, got {}", who, kMaxHeader, *header_size);
  const auto text = reader.Take(*header_size, "the header");
  if (!text.ok()) return text.status();
  absl::StatusOr<Json> header = ParseJson(*text, who);
  if (header.ok() && !header->is_object()) return Refuse("{}: an object expected as header", who);
  return header;
}

}  // namespace

absl::StatusOr<std::map<std::string, std::string>> SafetensorsMetadata(std::string_view bytes, const std::string& who) {
  BoundedReader reader(bytes, who);
  const absl::StatusOr<Json> header = TakeHeader(reader, who);
  if (!header.ok()) return header.status();
  std::map<std::string, std::string> texts;
  if (!header->contains("__metadata__")) return texts;
  for (const auto& [name, text] : (*header)["__metadata__"].items()) {
    if (!text.is_string()) return Refuse("{}: __metadata__: '{}': a text expected", who, name);
    texts[name] = text.get<std::string>();
  }
  return texts;
}

absl::StatusOr<std::vector<NamedTensor>> ParseSafetensors(std::string_view bytes, const std::string& who) {
  BoundedReader reader(bytes, who);
  const absl::StatusOr<Json> header = TakeHeader(reader, who);
  if (!header.ok()) return header.status();
  const std::string_view data = *reader.Take(reader.remaining(), "data");
  std::vector<NamedTensor> tensors;
  std::map<uint64_t, uint64_t> used;  // Begin to end of every tensor that has bytes.
  for (const auto& [name, json] : header->items()) {
    if (name == "__metadata__") continue;
    const std::string tensor_who = fmt::format("{}: tensor '{}'", who, name);
    absl::StatusOr<Entry> entry = ParseEntry(json, tensor_who);
    if (!entry.ok()) return entry.status();
    if (entry->end > data.size()) {
      return Refuse("{}: truncated: {} bytes of data expected, found {}", tensor_who, entry->end, data.size());
    }
    if (entry->begin < entry->end && !used.emplace(entry->begin, entry->end).second) {
      return Refuse("{}: its bytes belong to another tensor too", tensor_who);
    }
    absl::StatusOr<Tensor> value = DecodeArray(entry->format, std::move(entry->shape),
                                               data.substr(entry->begin, entry->end - entry->begin), false, tensor_who);
    if (!value.ok()) return value.status();
    tensors.push_back({name, *std::move(value)});
  }
  uint64_t expected = 0;  // As in the reference implementation, no gap and no overlap.
  for (const auto& [begin, end] : used) {
    if (begin != expected) return Refuse("{}: a tensor expected at offset {}, got one at {}", who, expected, begin);
    expected = end;
  }
  if (expected != data.size()) return Refuse("{}: {} bytes of data expected, found {}", who, expected, data.size());
  return tensors;
}

std::string SafetensorsBytes(const std::vector<NamedTensor>& tensors) {
  Json header = Json::object();
  size_t offset = 0;
  for (const NamedTensor& tensor : tensors) {
    const size_t end = offset + tensor.value.bytes();
    header[tensor.name] = {
        {"dtype", NameOf(tensor.value.dtype())}, {"shape", tensor.value.shape()}, {"data_offsets", {offset, end}}};
    offset = end;
  }
  std::string text = JsonText(header);
  text.append((kAlignment - text.size() % kAlignment) % kAlignment, ' ');
  std::string bytes;
  bytes.reserve(8 + text.size() + offset);
  for (int i = 0; i < 8; ++i) bytes += char(uint64_t(text.size()) >> (8 * i) & 0xff);
  bytes += text;
  for (const NamedTensor& tensor : tensors)
    bytes.append(static_cast<const char*>(tensor.value.raw()), tensor.value.bytes());
  return bytes;
}

}  // namespace fusebox
