// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/plugins/library.h"

#include <algorithm>
#include <boost/dll/shared_library.hpp>
#include <cmath>
#include <cstddef>
#include <mutex>
#include <set>

#include "fusebox/graph/status.h"
#include "fusebox/runtime/plugins/elf_file.h"
#include "fusebox/runtime/plugins/float_mode.h"
#include "fusebox/runtime/plugins/optimizer_attributes.h"
#include "fusebox/runtime/plugins/trust.h"

namespace fusebox {
namespace {

constexpr const char* kEntry = "fusebox_plugin";
constexpr uint32_t kMostAttributes = 1000;
constexpr size_t kMostItems = 10000;

// dlopen's message, without Boost's words around it and without the path, which the caller names anyway.
std::string LoadError(std::string message, const std::string& path) {
  constexpr std::string_view kOpening = "dlerror system message: ";
  if (const size_t begin = message.find(kOpening); begin != message.npos) {
    message.erase(0, begin + kOpening.size());
    message.erase(std::min(message.rfind("):"), message.size()));
  }
  if (message.starts_with(path + ": ")) message.erase(0, path.size() + 2);
  return message;
}

bool IsIdChar(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '-';
}
bool IsName(std::string_view text) { return !text.empty() && std::ranges::all_of(text, IsIdChar); }
bool IsItemId(std::string_view id) {
  const size_t slash = id.find('/');
  return slash != id.npos && IsName(id.substr(0, slash)) && IsName(id.substr(slash + 1));
}
std::string Copy(const char* text) { return text != nullptr ? text : ""; }

bool IsNumber(uint32_t type) { return type == FB_INT || type == FB_FLOAT || type == FB_INTS; }
bool InRange(const FbSchema& s, double v) { return v >= s.min && v <= s.max; }

absl::StatusOr<AttributeInfo> CheckSchema(const FbSchema& s) {
  if (s.name == nullptr || !IsName(s.name)) return Refuse("has an attribute without a proper name");
  if (s.type < FB_INT || s.type > FB_ITEM) return Refuse("attribute '{}' is of the unknown type {}", s.name, s.type);
  AttributeInfo info{.name = s.name,
                     .doc = Copy(s.doc),
                     .type = s.type,
                     .item_kind = s.item_kind,
                     .required = (s.flags & FB_REQUIRED) != 0,
                     .program_scalar = (s.flags & FB_PROGRAM_SCALAR) != 0,
                     .optional = (s.flags & FB_OPTIONAL) != 0,
                     .numbers = (s.flags & FB_NUMBERS) != 0,
                     .min = s.min,
                     .max = s.max,
                     .default_value = {}};
  if (info.program_scalar && s.type != FB_FLOAT && s.type != FB_INT)
    return Refuse("attribute '{}' is a program scalar, but no number", s.name);
  if (info.optional && info.required) return Refuse("attribute '{}' is both required and optional", s.name);
  if (s.type == FB_FLOAT) info.item_kind = 0;
  if (s.type == FB_ITEM && (s.item_kind < FB_LAYER || s.item_kind > FB_MODEL))
    return Refuse("attribute '{}' refers to items of the unknown kind {}", s.name, s.item_kind);
  if (IsNumber(s.type) && !(s.min <= s.max))
    return Refuse("attribute '{}' has the empty range [{}, {}]", s.name, s.min, s.max);
  if (s.type == FB_INTS && s.default_ints == nullptr && s.default_ints_count > 0)
    return Refuse("attribute '{}' has a null default", s.name);
  std::vector<double> numbers;
  switch (s.type) {
    case FB_FLAG:
      info.default_value = s.default_integer != 0;
      break;
    case FB_INT:
      info.default_value = s.default_integer;
      numbers = {double(s.default_integer)};
      break;
    case FB_FLOAT:
      info.default_value = s.default_real;
      numbers = {s.default_real};
      break;
    case FB_INTS: {
      const Ints ints(s.default_ints, s.default_ints + s.default_ints_count);
      numbers.assign(ints.begin(), ints.end());
      info.default_value = ints;
      break;
    }
    default:
      info.default_value = Copy(s.default_string);
  }
  for (const double v : numbers) {
    if (!info.required && !info.optional && !InRange(s, v))
      return Refuse("attribute '{}' has the default {}, which is not in [{}, {}]", s.name, v, s.min, s.max);
  }
  return info;
}

// Reads the hooks of the kinds that the host calls. None of their functions may be null.
absl::Status ReadHooks(const FbItem& raw, PluginItem& item) {
  if (raw.kind < FB_CALLBACK) {
    return raw.expand != nullptr ? absl::OkStatus() : Refuse("has no expand function");
  }
  if (raw.hooks == nullptr) return Refuse("has no hooks");
  bool whole = false;
  if (raw.kind == FB_CALLBACK) {
    const FbCallbackHooks& h = item.callback = ReadStruct(static_cast<const FbCallbackHooks*>(raw.hooks));
    whole = h.create && h.destroy && h.on_event && h.save_state && h.load_state;
  } else if (raw.kind == FB_DATASET) {
    const FbDatasetHooks& h = item.dataset = ReadStruct(static_cast<const FbDatasetHooks*>(raw.hooks));
    whole = h.create && h.destroy && h.splits && h.load;
  } else {
    const FbModelHooks& h = item.model = ReadStruct(static_cast<const FbModelHooks*>(raw.hooks));
    whole = h.build && h.build_id;
  }
  return whole ? absl::OkStatus() : Refuse("lacks one of its hooks");
}

absl::StatusOr<PluginItem> CheckItem(const FbItem* from, const std::shared_ptr<const PluginLibrary>& library) {
  if (from == nullptr) return Refuse("registers a null item");
  if (from->struct_size < offsetof(FbItem, hooks))
    return Refuse("registers an item of only {} bytes", from->struct_size);
  const FbItem raw = ReadStruct(from);
  if (raw.kind < FB_LAYER || raw.kind > FB_MODEL)
    return Refuse("item '{}' is of the unknown kind {}", Copy(raw.id), raw.kind);
  if (raw.id == nullptr) return Refuse("has a {} without an id", KindName(raw.kind));
  if (!IsItemId(raw.id)) return Refuse("{} '{}' needs an id of the form namespace/name", KindName(raw.kind), raw.id);
  PluginItem item;
  item.kind = raw.kind;
  item.major = raw.major;
  item.id = raw.id;
  item.doc = Copy(raw.doc);
  item.flags = raw.flags;
  item.library = library;
  item.expand = raw.expand;
  const auto wrong = [&](const std::string& what) { return Refuse("{} {}: {}", KindName(raw.kind), item.key(), what); };
  if (raw.major == 0) return wrong("its major version must be 1 or more");
  if (raw.attribute_count > kMostAttributes || (raw.attribute_count > 0 && raw.attributes == nullptr))
    return wrong(fmt::format("claims {} attributes", raw.attribute_count));
  for (const FbSchema& schema : ReadArray(raw.attributes, raw.attribute_count)) {
    absl::StatusOr<AttributeInfo> info = CheckSchema(schema);
    if (!info.ok()) return wrong(Message(info.status()));
    if (item.Find(info->name) != nullptr) return wrong(fmt::format("has two attributes '{}'", info->name));
    // The rate of any optimizer may follow a schedule: its plugin gets the rate as a value, whatever it comes from.
    if (raw.kind == FB_OPTIMIZER && info->name == "learning_rate" && info->type == FB_FLOAT)
      info->item_kind = FB_SCHEDULE;
    item.attributes.push_back(*std::move(info));
  }
  if (raw.kind == FB_OPTIMIZER) {
    const bool scales = ScalesLoss(item);
    for (AttributeInfo& info : OptimizerAttributes()) {
      if (scales && info.name != "name") continue;
      if (item.Find(info.name) == nullptr) item.attributes.push_back(std::move(info));
    }
  }
  if (raw.kind == FB_METRIC && item.Find("name") == nullptr) {
    item.attributes.push_back({.name = "name",
                               .doc = "under which results are logged; the metric's own unless given",
                               .type = FB_STRING,
                               .optional = true,
                               .default_value = std::string()});
  }
  if (const absl::Status status = ReadHooks(raw, item); !status.ok()) return wrong(Message(status));
  return item;
}

// A loaded library is never unloaded.
const boost::dll::shared_library& Pin(boost::dll::shared_library library) {
  static std::mutex mutex;
  static auto* const pinned = new std::vector<std::unique_ptr<const boost::dll::shared_library>>;
  const std::lock_guard lock(mutex);
  return *pinned->emplace_back(std::make_unique<const boost::dll::shared_library>(std::move(library)));
}

struct Collected {
  std::vector<const FbItem*> items;
};

void Collect(void* registry, const FbItem* item) noexcept {
  auto& all = static_cast<Collected*>(registry)->items;
  if (all.size() <= kMostItems) all.push_back(item);
}

// Loads and checks a library whose file was found. Throws what Boost.DLL throws.
absl::StatusOr<LoadedLibrary> Open(const std::string& path) {
  using boost::dll::load_mode::type;
  FUSEBOX_RETURN_IF_ERROR(CheckElfIsWhole(path));
  const FloatModeGuard float_mode;
  boost::dll::shared_library opened;
  try {
    opened.load(path, type::rtld_now | type::rtld_local);
  } catch (const std::exception& e) {
    return Refuse("cannot be loaded: {}", LoadError(e.what(), path));
  }
  const boost::dll::shared_library& library = Pin(std::move(opened));
  if (!library.has(kEntry)) return Refuse("exports no {}, so it is no plugin", kEntry);
  const FbLibrary* raw = library.get<decltype(fusebox_plugin)>(kEntry)();
  if (raw == nullptr || raw->magic != FB_MAGIC) return Refuse("its descriptor has no magic number");
  if (raw->abi_major != FB_ABI_MAJOR || raw->abi_minor_required > FB_ABI_MINOR) {
    return Refuse("needs plugin ABI {}.{}, this is {}.{}", raw->abi_major, raw->abi_minor_required, int{FB_ABI_MAJOR},
                  int{FB_ABI_MINOR});
  }
  if (raw->struct_size < offsetof(FbLibrary, register_items) + sizeof(raw->register_items))
    return Refuse("its descriptor has only {} bytes", raw->struct_size);
  const FbLibrary descriptor = ReadStruct(raw);
  if (descriptor.id == nullptr || *descriptor.id == '\0' || descriptor.version == nullptr ||
      *descriptor.version == '\0')
    return Refuse("has no id or no version");
  if (descriptor.register_items == nullptr) return Refuse("has no function register_items");

  Collected collected;
  const FbHost host = {sizeof host, FB_ABI_MAJOR, FB_ABI_MINOR, 0, &collected, Collect};
  descriptor.register_items(&host);
  if (collected.items.size() > kMostItems) return Refuse("registers more than {} items", kMostItems);

  auto info = std::make_shared<PluginLibrary>();
  *info = {descriptor.id, descriptor.version,  Copy(descriptor.licence), Copy(descriptor.build_info),
           path,          float_mode.changed()};
  LoadedLibrary loaded{std::move(info), {}};
  std::set<std::pair<uint32_t, std::string>> keys;
  for (const FbItem* item : collected.items) {
    FUSEBOX_ASSIGN_OR_RETURN(PluginItem checked, CheckItem(item, loaded.library));
    if (!keys.emplace(checked.kind, checked.key()).second)
      return Refuse("brings {} {} twice", KindName(checked.kind), checked.key());
    loaded.items.push_back(std::move(checked));
  }
  // The linker's order differs from build to build.
  std::ranges::sort(loaded.items, {}, [](const PluginItem& i) { return std::pair(i.kind, i.key()); });
  return loaded;
}

}  // namespace

absl::StatusOr<LoadedLibrary> LoadLibrary(const std::filesystem::path& path) {
  std::error_code error;
  const std::filesystem::path file = std::filesystem::canonical(path, error);
  if (error) return absl::NotFoundError(fmt::format("{}: {}", path.string(), error.message()));
  if (!std::filesystem::is_regular_file(file, error)) return Refuse("{}: is not a file", path.string());
  if (const absl::Status trusted = CheckTrusted(path); !trusted.ok())
    return Refuse("{}: is not loaded, as {}", path.string(), Message(trusted));
  absl::StatusOr<LoadedLibrary> loaded;
  // Plugins throw nothing, but Boost.DLL may; this is the only place that calls it.
  try {
    loaded = Open(file.string());
  } catch (const std::exception& e) {
    loaded = Refuse("failed while it was asked what it brings: {}", e.what());
  } catch (...) {
    loaded = Refuse("threw something that is no std::exception while it was asked what it brings");
  }
  if (!loaded.ok()) return Refuse("{}: {}", path.string(), Message(loaded.status()));
  return loaded;
}

bool IsModelLibrary(const std::filesystem::path& path) { return HasElfSection(path, "fusebox_model"); }

}  // namespace fusebox
