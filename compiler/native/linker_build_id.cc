// SPDX-License-Identifier: Apache-2.0
#include "fusebox/compiler/native/linker_build_id.h"

#include <elf.h>
#include <link.h>

#include <cstring>
#include <string_view>

#include "fmt/format.h"

namespace fusebox {
namespace {

struct Search {
  uintptr_t address;  // Inside the binary to look at.
  std::string found;
};

std::string BuildIdIn(const char* note, const char* end) {
  const auto padded = [](size_t size) { return (size + 3) / 4 * 4; };
  while (size_t(end - note) >= sizeof(ElfW(Nhdr))) {
    ElfW(Nhdr) head;
    std::memcpy(&head, note, sizeof head);
    const char* name = note + sizeof head;
    const char* id = name + padded(head.n_namesz);
    if (head.n_type == NT_GNU_BUILD_ID && std::string_view(name, head.n_namesz) == std::string_view("GNU", 4)) {
      std::string hex;
      for (size_t i = 0; i < head.n_descsz; ++i) hex += fmt::format("{:02x}", uint8_t(id[i]));
      return hex;
    }
    note = id + padded(head.n_descsz);
  }
  return "";
}

int Visit(dl_phdr_info* binary, size_t, void* data) {
  auto& search = *static_cast<Search*>(data);
  bool is_ours = false;
  for (const ElfW(Phdr)* h = binary->dlpi_phdr; h != binary->dlpi_phdr + binary->dlpi_phnum; ++h) {
    const uintptr_t begin = binary->dlpi_addr + h->p_vaddr;
    is_ours |= h->p_type == PT_LOAD && search.address >= begin && search.address < begin + h->p_memsz;
  }
  if (!is_ours) return 0;
  for (const ElfW(Phdr)* h = binary->dlpi_phdr; h != binary->dlpi_phdr + binary->dlpi_phnum; ++h) {
    const auto* note = reinterpret_cast<const char*>(binary->dlpi_addr + h->p_vaddr);
    if (h->p_type == PT_NOTE && search.found.empty()) search.found = BuildIdIn(note, note + h->p_memsz);
  }
  return 1;
}

}  // namespace

const std::string& LinkerBuildId() {
  static const std::string kId = [] {
    Search search = {.address = reinterpret_cast<uintptr_t>(&Visit), .found = {}};
    dl_iterate_phdr(Visit, &search);
    return search.found;
  }();
  return kId;
}

}  // namespace fusebox
