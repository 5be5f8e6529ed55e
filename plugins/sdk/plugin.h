// SPDX-License-Identifier: Apache-2.0
// FUSEBOX_PLUGIN adds an item to the library, FUSEBOX_LIBRARY defines the library's entry point. Neither runs code at
// load time.
#pragma once
#include "fusebox/plugins/sdk/host_side.h"

namespace fusebox::sdk {

// What FUSEBOX_PLUGIN is told of an item.
template <size_t N = 1>
struct Item {
  const char* id;                      // "namespace/name"
  uint32_t major = 1;                  // Increase it when existing models would change their meaning.
  const char* doc = "";                // A sentence on what it computes, for `fusebox plugins describe`.
  bool class_labels = false;           // See FB_CLASS_LABELS.
  bool decays_weights = false;         // See FB_DECAYS_WEIGHTS.
  bool class_labels_by_shape = false;  // See FB_CLASS_LABELS_BY_SHAPE.
  bool keeps_mask = false;             // See FB_KEEPS_MASK.
  Schema attributes[N] = {};           // N follows from the initialiser.
};

// The table of C functions of an item that the host calls.
template <class Class>
struct Hooks {
  // An FbCallbackHooks or an FbDatasetHooks.
  static constexpr auto kTable = [] {
    if constexpr (Class::kKind == FB_CALLBACK) return MakeCallbackHooks<Class>();
    if constexpr (Class::kKind == FB_DATASET) return MakeDatasetHooks<Class>();
  }();
};

// The item as the host sees it.
template <class Class, size_t N>
consteval FbItem Describe(const Item<N>& item) {
  const uint32_t count = item.attributes[0].name != nullptr ? uint32_t{N} : 0u;
  FbItem raw = {sizeof(FbItem),  Class::kKind, item.major, count, item.id, item.doc,
                item.attributes, nullptr,      nullptr,    0,     0};
  if constexpr (Class::kKind < FB_CALLBACK) {
    raw.expand = ExpandTrampoline<Class>;
  } else {
    raw.hooks = &Hooks<Class>::kTable;
  }
  if (item.class_labels) raw.flags |= FB_CLASS_LABELS;
  if (item.decays_weights) raw.flags |= FB_DECAYS_WEIGHTS;
  if (item.class_labels_by_shape) raw.flags |= FB_CLASS_LABELS_BY_SHAPE;
  if (item.keeps_mask) raw.flags |= FB_KEEPS_MASK;
  return raw;
}

}  // namespace fusebox::sdk

// FUSEBOX_PLUGIN(Dense, {.id = "acme/dense", .doc = "...", .attributes = {sdk::Int("units").Min(1)}});
//
// Registers a class, in its own namespace: constants, and a pointer to them in the section fusebox_items. (A pointer,
// because compilers may over-align large structs, which then do not form an array in the section.)
#define FUSEBOX_PLUGIN(Class, ...)                                                                \
  static constexpr ::fusebox::sdk::Item k##Class##Item = __VA_ARGS__;                             \
  static constexpr FbItem k##Class##Descriptor = ::fusebox::sdk::Describe<Class>(k##Class##Item); \
  [[gnu::section("fusebox_items"), gnu::used, gnu::retain]] static const FbItem* const k##Class = &k##Class##Descriptor

// FUSEBOX_LIBRARY("acme", "1.2.0") or, with an SPDX licence expression, FUSEBOX_LIBRARY("acme", "1.2.0", "MIT").
//
// Defines the library's entry point, in the source that fusebox_add_plugin() writes. The linker defines both ends of
// the section.
#define FUSEBOX_LIBRARY(library_id, library_version, ...)                                                              \
  extern "C" [[gnu::visibility("hidden")]] const FbItem *const __start_fusebox_items[], *const __stop_fusebox_items[]; \
  extern "C" [[gnu::visibility("default")]] const FbLibrary* fusebox_plugin() {                                        \
    static constexpr FbLibrary kLibrary = {sizeof(FbLibrary),                                                          \
                                           FB_MAGIC,                                                                   \
                                           FB_ABI_MAJOR,                                                               \
                                           0,                                                                          \
                                           library_id,                                                                 \
                                           library_version,                                                            \
                                           "" __VA_ARGS__,                                                             \
                                           __VERSION__,                                                                \
                                           [](const FbHost* host) {                                                    \
                                             for (auto i = __start_fusebox_items; i != __stop_fusebox_items; ++i)      \
                                               host->add(host->registry, *i);                                          \
                                           }};                                                                         \
    return &kLibrary;                                                                                                  \
  }
