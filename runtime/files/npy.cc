// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/files/npy.h"

#include <charconv>

#include "fmt/ranges.h"
#include "fusebox/graph/status.h"
#include "fusebox/runtime/files/atomic_file.h"
#include "fusebox/runtime/files/bounded_reader.h"
#include "fusebox/runtime/files/mapped_file.h"
#include "fusebox/runtime/files/numeric_array.h"

namespace fusebox {
namespace {

constexpr size_t kAlignment = 64;     // Of the data within the file.
constexpr size_t kMaxHeader = 65536;  // Ours have 118 bytes; struct types, which we refuse, have more.

struct Header {
  std::string descr;
  bool fortran_order = false;
  std::vector<int64_t> shape;
};

// The header is a Python dict: {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }.
class HeaderParser {
 public:
  explicit HeaderParser(std::string_view text) : text_(text) {}

  // Nothing if the text is anything else.
  std::optional<Header> Parse() {
    Header header;
    int found = 0;
    if (!Accept("{")) return std::nullopt;
    while (!Accept("}")) {
      const std::optional<std::string> key = String();
      if (!key || !Accept(":")) return std::nullopt;
      if (*key == "descr" && (found & 1) == 0) {
        const auto descr = AfterBlanks().starts_with('[') ? List() : String();
        if (!descr) return std::nullopt;
        header.descr = *descr;
        found |= 1;
      } else if (*key == "fortran_order" && (found & 2) == 0) {
        header.fortran_order = Accept("True");
        if (!header.fortran_order && !Accept("False")) return std::nullopt;
        found |= 2;
      } else if (*key == "shape" && (found & 4) == 0) {
        if (!ParseShape(header.shape)) return std::nullopt;
        found |= 4;
      } else {
        return std::nullopt;
      }
      Accept(",");
    }
    Blanks();
    return found == 7 && text_.empty() ? std::optional(header) : std::nullopt;
  }

 private:
  void Blanks() {
    while (!text_.empty() && std::string_view(" \t\r\n").find(text_[0]) != std::string_view::npos)
      text_.remove_prefix(1);
  }
  bool Accept(std::string_view token) {
    Blanks();
    if (!text_.starts_with(token)) return false;
    text_.remove_prefix(token.size());
    return true;
  }
  std::optional<std::string> String() {
    Blanks();
    if (text_.empty() || (text_[0] != '\'' && text_[0] != '"')) return std::nullopt;
    const size_t end = text_.find(text_[0], 1);
    if (end == std::string_view::npos) return std::nullopt;
    const std::string value(text_.substr(1, end - 1));
    text_.remove_prefix(end + 1);
    return value;
  }
  std::string_view AfterBlanks() {
    Blanks();
    return text_;
  }
  // A struct's dtype as it stands: [('a', '<f4'), ('b', '<i4', (2,))].
  std::optional<std::string> List() {
    int depth = 0;
    for (size_t i = 0; i < text_.size(); ++i) {
      if (text_[i] == '\'' || text_[i] == '"') {
        i = text_.find(text_[i], i + 1);
        if (i == std::string_view::npos) return std::nullopt;
      }
      depth += text_[i] == '[' ? 1 : text_[i] == ']' ? -1 : 0;
      if (depth > 0) continue;
      std::string list(text_.substr(0, i + 1));
      text_.remove_prefix(i + 1);
      return list;
    }
    return std::nullopt;
  }
  bool ParseShape(std::vector<int64_t>& shape) {
    if (!Accept("(")) return false;
    while (!Accept(")")) {
      Blanks();
      int64_t dim = 0;
      const auto [end, error] = std::from_chars(text_.data(), text_.data() + text_.size(), dim);
      if (error != std::errc() || dim < 0) return false;
      text_.remove_prefix(size_t(end - text_.data()));
      Accept("L");  // Of Python 2's long integers.
      shape.push_back(dim);
      if (!Accept(",") && !text_.starts_with(')')) return false;
    }
    return true;
  }

  std::string_view text_;
};

// The kind and bytes, "f4", of a dtype that is given by its name or by its letter, as NumPy reads them too: C's types, on
// a machine whose long has 8 bytes. The text itself if it is neither.
std::string CodeOf(std::string_view name, bool has_order) {
  constexpr std::pair<std::string_view, std::string_view> kLetters[] = {
      {"?", "b1"}, {"b", "i1"}, {"h", "i2"}, {"i", "i4"}, {"l", "i8"}, {"q", "i8"}, {"p", "i8"}, {"B", "u1"},
      {"H", "u2"}, {"I", "u4"}, {"L", "u8"}, {"Q", "u8"}, {"P", "u8"}, {"e", "f2"}, {"f", "f4"}, {"d", "f8"}};
  constexpr std::pair<std::string_view, std::string_view> kNames[] = {
      {"bool", "b1"},    {"bool_", "b1"},  {"int8", "i1"},     {"int16", "i2"},  {"int32", "i4"},   {"int64", "i8"},
      {"uint8", "u1"},   {"uint16", "u2"}, {"uint32", "u4"},   {"uint64", "u8"}, {"float16", "f2"}, {"float32", "f4"},
      {"float64", "f8"}, {"float", "f8"},  {"int", "i8"},      {"uint", "u8"},   {"half", "f2"},    {"single", "f4"},
      {"double", "f8"},  {"byte", "i1"},   {"ubyte", "u1"},    {"short", "i2"},  {"ushort", "u2"},  {"intc", "i4"},
      {"uintc", "u4"},   {"int_", "i8"},   {"longlong", "i8"}, {"intp", "i8"},   {"uintp", "u8"}};
  for (const auto& [letter, code] : kLetters) {
    if (name == letter) return std::string(code);
  }
  for (const auto& [known, code] : kNames) {
    if (name == known && !has_order) return std::string(code);
  }
  return std::string(name);
}

// "<f4": byte order, kind, bytes.
absl::StatusOr<ElementFormat> ParseDescr(const std::string& given, const std::string& who) {
  if (given.starts_with('[')) {
    return Refuse("{}: a header with descr (one plain dtype), fortran_order and shape expected, got {}", who,
                  given.substr(0, 200));
  }
  const bool has_order = !given.empty() && std::string_view("<>|=").find(given[0]) != std::string_view::npos;
  const char order_sign = has_order ? given[0] : '=';  // "f4" is in this machine's order.
  const std::string code = CodeOf(std::string_view(given).substr(has_order ? 1 : 0), has_order);
  const auto unsupported = [&](std::string_view what) {
    return Refuse("{}: an array of real numbers expected, got {} (dtype '{}')", who, what, given);
  };
  if (code.empty()) return unsupported("another kind");
  const bool one_digit = code.size() == 2 && std::string_view("1248").find(code[1]) != std::string_view::npos;
  const int bytes = one_digit ? code[1] - '0' : 0;
  const std::endian order = order_sign == '>'   ? std::endian::big
                            : order_sign == '<' ? std::endian::little
                                                : std::endian::native;
  switch (code[0]) {
    case 'b':
      if (bytes == 1) return ElementFormat{NumberKind::kBool, 1, order};
      break;
    case 'i':
      if (bytes >= 1) return ElementFormat{NumberKind::kSigned, bytes, order};
      break;
    case 'u':
      if (bytes >= 1) return ElementFormat{NumberKind::kUnsigned, bytes, order};
      break;
    case 'f':
      if (bytes >= 2) return ElementFormat{NumberKind::kFloat, bytes, order};
      break;
    case 'c':
      return unsupported("complex numbers");
    case 'U':
    case 'S':
      return unsupported("text");
    case 'O':
      return unsupported("Python objects");
    case 'M':
    case 'm':
      return unsupported("times");
  }
  return unsupported("another kind");
}

const char* DescrOf(DType dtype) {
  switch (dtype) {
    case DType::kF32:
      return "<f4";
    case DType::kF64:
      return "<f8";
    case DType::kI32:
      return "<i4";
    case DType::kI64:
      return "<i8";
    case DType::kU8:
      return "|u1";
    case DType::kBool:
      return "|b1";
    case DType::kError:
      break;
  }
  Check(false, "an empty tensor is written");
  return "";
}

// The header, and a reader of what is behind it.
struct NpyHeader {
  Header header;
  BoundedReader rest;
};

absl::StatusOr<NpyHeader> ReadHeader(std::string_view bytes, const std::string& who) {
  BoundedReader reader(bytes, who);
  const auto magic = reader.Take(kNpyMagic.size(), "the magic string");
  if (!magic.ok()) return magic.status();
  if (*magic != kNpyMagic) return Refuse("{}: not an .npy file: it does not start with \\x93NUMPY", who);
  const auto version = reader.TakeUint(2, std::endian::big, "the version");
  if (!version.ok()) return version.status();
  const uint64_t major = *version >> 8;
  if (major < 1 || major > 3) return Refuse("{}: .npy version 1, 2 or 3 expected, got {}", who, major);
  const auto length = reader.TakeUint(major == 1 ? 2 : 4, std::endian::little, "the header's length");
  if (!length.ok()) return length.status();
  if (*length > kMaxHeader)
    return Refuse("{}: a header of at most {} bytes expected, got {}", who, kMaxHeader, *length);
  const auto text = reader.Take(*length, "the header");
  if (!text.ok()) return text.status();
  std::optional<Header> header = HeaderParser(*text).Parse();
  if (!header) {
    return Refuse("{}: a header with descr (one plain dtype), fortran_order and shape expected, got {}", who,
                  text->substr(0, 200));
  }
  return NpyHeader{*std::move(header), reader};
}

}  // namespace

absl::StatusOr<bool> HasNpyNumbers(std::string_view bytes, const std::string& who) {
  const absl::StatusOr<NpyHeader> header = ReadHeader(bytes, who);
  if (!header.ok()) return header.status();
  return ParseDescr(header->header.descr, who).ok();
}

absl::StatusOr<Tensor> ParseNpy(std::string_view bytes, const std::string& who, std::shared_ptr<const void> owner) {
  absl::StatusOr<NpyHeader> read = ReadHeader(bytes, who);
  if (!read.ok()) return read.status();
  Header* const header = &read->header;
  BoundedReader& reader = read->rest;
  const absl::StatusOr<ElementFormat> format = ParseDescr(header->descr, who);
  if (!format.ok()) return format.status();
  const std::optional<uint64_t> size = CheckedBytes(header->shape, uint64_t(format->bytes));
  if (!size) return Refuse("{}: the shape ({}) is too large", who, fmt::join(header->shape, ", "));
  if (*size != reader.remaining()) {
    return Refuse("{}: {} expected {} bytes of data for shape ({}), found {}", who,
                  *size > reader.remaining() ? "truncated:" : "too long:", *size, fmt::join(header->shape, ", "),
                  reader.remaining());
  }
  const std::string_view data = *reader.Take(*size, "data");
  if (owner != nullptr) {
    if (std::optional<Tensor> there = ArrayInPlace(*format, header->shape, data, header->fortran_order, owner)) {
      return *std::move(there);
    }
  }
  return DecodeArray(*format, std::move(header->shape), data, header->fortran_order, who);
}

absl::StatusOr<Tensor> ReadNpy(const std::string& path) {
  absl::StatusOr<MappedFile> file = MapWholeFile(path);
  if (!file.ok()) return file.status();
  return ParseNpy(file->bytes, fmt::format("'{}'", path), std::move(file->owner));
}

std::string NpyBytes(const Tensor& tensor) {
  const std::vector<int64_t>& shape = tensor.shape();
  std::string header = fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}{}), }}",
                                   DescrOf(tensor.dtype()), fmt::join(shape, ", "), shape.size() == 1 ? "," : "");
  // NumPy leaves room for the first dimension to grow to 21 digits in place.
  if (!shape.empty()) header.append(21 - std::to_string(shape[0]).size(), ' ');
  const size_t prefix = kNpyMagic.size() + 4;
  header.append(kAlignment - 1 - (prefix + header.size()) % kAlignment, ' ');
  header += '\n';
  std::string bytes(kNpyMagic);
  bytes += {'\x01', '\x00', char(header.size() & 0xff), char(header.size() >> 8)};
  bytes += header;
  bytes.append(static_cast<const char*>(tensor.raw()), tensor.bytes());
  return bytes;
}

absl::Status WriteNpy(const std::string& path, const Tensor& tensor) {
  return WriteFileAtomically(path, NpyBytes(tensor));
}

}  // namespace fusebox
