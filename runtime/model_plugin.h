// SPDX-License-Identifier: Apache-2.0
// FUSEBOX_MODEL lets the fusebox command see a model that is defined in C++:
//
//   absl::StatusOr<fb::Model> Build(const fb::sdk::Attributes& a) { ... a.Int("width") ... }   or   Build()
//
// (Or of a fb::Sequential.)
//
//   FUSEBOX_MODEL(Build, {.id = "my_model", .doc = "...", .attributes = {fb::sdk::Int("width", 300).Min(1)}});
//
// The CMake function fusebox_add_model(my_model SOURCES my_model.cc) builds such a source twice: as a program, where the
// line above does nothing, and as the library my_model.so: `fusebox train path/my_model.so` or, if it lies in a folder of
// plugins, `fusebox train my_model`. One model a source, not in a namespace without a name.
#pragma once
#include <string>
#include <type_traits>

#include "absl/status/statusor.h"
#include "fusebox/build_id.h"
#include "fusebox/plugins/sdk/sdk.h"
#include "fusebox/runtime/sequential.h"

namespace fusebox {

// Which libfusebox a model's library fits: FUSEBOX_BUILD_ID, a digest of all public headers (cmake/BuildId.cmake). It uses
// the C++ API, so it must be built with the very headers of the library that loads it, and with the same standard library.
const char* HeadersId();  // Of this library.

// What a model's library hands over: its description (JSON as in .keras files) and, where it is compiled and its input is
// known, its training program (.fbg).
struct ModelText {
  std::string config, program;
};
absl::StatusOr<ModelText> DescribeModel(const Model& model);

// The model that such a description stands for.
absl::StatusOr<Model> ModelFromText(const std::string& config, const std::string& who,
                                    std::optional<int64_t> seed = {});

namespace sdk {

// "my_model" is the item fusebox/my_model: a bare name means that.
struct ModelId {
  char text[128] = {};
};
consteval ModelId MakeModelId(std::string_view id) {
  ModelId full;
  char* to = full.text;
  if (id.find('/') == std::string_view::npos) to = std::ranges::copy(std::string_view("fusebox/"), to).out;
  std::ranges::copy(id, to);
  return full;
}

template <auto Build>
void BuildTrampoline(const FbAttribute* attributes, uint32_t count, const FbSink* config,
                     const FbSink* program) noexcept {
  Guarded(config, [&] {
    const absl::StatusOr<Model> model = [&]() -> absl::StatusOr<Model> {
      if constexpr (std::is_invocable_v<decltype(Build), const Attributes&>) {
        return Build(Attributes(attributes, count));
      } else {
        return Build();
      }
    }();
    const absl::StatusOr<ModelText> text = model.ok() ? DescribeModel(*model) : model.status();
    if (!text.ok()) return config->fail(config->data, std::string(text.status().message()).c_str());
    config->write(config->data, text->config.data(), text->config.size());
    program->write(program->data, text->program.data(), text->program.size());
  });
}

template <auto Build>
inline constexpr FbModelHooks kModelHooks = {sizeof(FbModelHooks), 0, FUSEBOX_BUILD_ID, BuildTrampoline<Build>};

template <auto Build, size_t N>
consteval FbItem DescribeModelItem(const Item<N>& item, const ModelId& id) {
  const uint32_t count = item.attributes[0].name != nullptr ? uint32_t{N} : 0u;
  return {sizeof(FbItem),  FB_MODEL, item.major,          count, id.text, item.doc,
          item.attributes, nullptr,  &kModelHooks<Build>, 0,     0};
}

}  // namespace sdk
}  // namespace fusebox

#ifdef FUSEBOX_MODEL_LIBRARY
// The entry is weak, so that several sources may bring a model each. The section fusebox_model tells what kind of library
// this is without loading it.
#define FUSEBOX_MODEL(Build, ...)                                                                                      \
  static constexpr ::fusebox::sdk::Item k##Build##Item = __VA_ARGS__;                                                  \
  static constexpr ::fusebox::sdk::ModelId k##Build##Id = ::fusebox::sdk::MakeModelId(k##Build##Item.id);              \
  static constexpr FbItem k##Build##Descriptor =                                                                       \
      ::fusebox::sdk::DescribeModelItem<&Build>(k##Build##Item, k##Build##Id);                                         \
  [[gnu::section("fusebox_items"), gnu::used, gnu::retain]] static const FbItem* const k##Build =                      \
      &k##Build##Descriptor;                                                                                           \
  [[gnu::section("fusebox_model"), gnu::used, gnu::retain]] static const char k##Build##Marker = 1;                    \
  extern "C" [[gnu::visibility("hidden")]] const FbItem *const __start_fusebox_items[], *const __stop_fusebox_items[]; \
  extern "C" [[gnu::weak, gnu::visibility("default")]] const FbLibrary* fusebox_plugin() {                             \
    static constexpr FbLibrary kLibrary = {sizeof(FbLibrary),                                                          \
                                           FB_MAGIC,                                                                   \
                                           FB_ABI_MAJOR,                                                               \
                                           0,                                                                          \
                                           k##Build##Item.id,                                                          \
                                           FUSEBOX_BUILD_ID,                                                           \
                                           "",                                                                         \
                                           __VERSION__,                                                                \
                                           [](const FbHost* host) {                                                    \
                                             for (auto i = __start_fusebox_items; i != __stop_fusebox_items; ++i)      \
                                               host->add(host->registry, *i);                                          \
                                           }};                                                                         \
    return &kLibrary;                                                                                                  \
  }                                                                                                                    \
  static_assert(true)
#else
#define FUSEBOX_MODEL(Build, ...)                                                      \
  [[maybe_unused]] static constexpr ::fusebox::sdk::Item k##Build##Item = __VA_ARGS__; \
  static_assert(true)
#endif
