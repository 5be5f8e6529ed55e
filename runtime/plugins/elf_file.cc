// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/plugins/elf_file.h"

#include <elf.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include "fusebox/graph/status.h"

namespace fusebox {
namespace {

constexpr uint64_t kMostNames = 1 << 20;  // Of bytes in the table of the sections' names.

// Reads within bounds: every number of the file may be wrong.
class ElfFile {
 public:
  explicit ElfFile(const std::filesystem::path& path) : in_(path, std::ios::binary | std::ios::ate) {
    if (in_) size_ = uint64_t(in_.tellg());
  }

  uint64_t size() const { return size_; }
  bool Holds(uint64_t offset, uint64_t bytes) const { return offset <= size_ && bytes <= size_ - offset; }
  bool Read(uint64_t offset, void* to, uint64_t bytes) {
    if (!Holds(offset, bytes)) return false;
    in_.clear();
    in_.seekg(std::streamoff(offset));
    in_.read(static_cast<char*>(to), std::streamsize(bytes));
    return bool(in_);
  }
  template <class T>
  std::optional<std::vector<T>> Table(uint64_t offset, uint64_t count, uint64_t entry_size) {
    std::vector<T> table(entry_size == sizeof(T) && Holds(offset, count * sizeof(T)) ? count : 0);
    if (table.size() != count || !Read(offset, table.data(), count * sizeof(T))) return std::nullopt;
    return table;
  }
  // Of a 64-bit file in this machine's byte order.
  std::optional<Elf64_Ehdr> Header() {
    Elf64_Ehdr header;
    if (!Read(0, &header, sizeof header) || std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0) return std::nullopt;
    constexpr unsigned char kOrder = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? ELFDATA2LSB : ELFDATA2MSB;
    if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_ident[EI_DATA] != kOrder) return std::nullopt;
    return header;
  }

 private:
  std::ifstream in_;
  uint64_t size_ = 0;
};

}  // namespace

absl::Status CheckElfIsWhole(const std::filesystem::path& path) {
  ElfFile file(path);
  const std::optional<Elf64_Ehdr> header = file.Header();
  if (!header) return absl::OkStatus();
  const auto segments = file.Table<Elf64_Phdr>(header->e_phoff, header->e_phnum, header->e_phentsize);
  if (!segments) return Refuse("is truncated: found {} bytes, and its headers lie beyond", file.size());
  for (const Elf64_Phdr& s : *segments) {
    if (s.p_type == PT_LOAD && !file.Holds(s.p_offset, s.p_filesz))
      return Refuse("is truncated: expected {} bytes or more, found {}", s.p_offset + s.p_filesz, file.size());
  }
  return absl::OkStatus();
}

bool HasElfSection(const std::filesystem::path& path, std::string_view name) {
  ElfFile file(path);
  const std::optional<Elf64_Ehdr> header = file.Header();
  if (!header) return false;
  const auto sections = file.Table<Elf64_Shdr>(header->e_shoff, header->e_shnum, header->e_shentsize);
  if (!sections || header->e_shstrndx >= sections->size()) return false;
  const Elf64_Shdr& names = (*sections)[header->e_shstrndx];
  std::string text(std::min<uint64_t>(names.sh_size, kMostNames), '\0');
  if (!file.Read(names.sh_offset, text.data(), text.size())) return false;
  return std::ranges::any_of(*sections, [&](const Elf64_Shdr& s) {
    return s.sh_name < text.size() && std::string_view(text.c_str() + s.sh_name) == name;
  });
}

}  // namespace fusebox
