// SPDX-License-Identifier: Apache-2.0
// FUSEBOX_MODEL makes a model that is defined in C++ available to the fusebox command:
//
//   absl::StatusOr<fb::Model> Build(const fb::sdk::Attributes& a) { ... a.Int("width") ... }
//
//   FUSEBOX_MODEL(Build, {.id = "my_model", .doc = "...", .attributes = {fb::sdk::Int("width", 300).Min(1)}});
//
// Build may also take no arguments, and may return a fb::Sequential.
//
// The CMake function fusebox_add_model(my_model SOURCES my_model.cc) builds such a source twice: as a program, where
// FUSEBOX_MODEL does nothing, and as the library my_model.so. Train the latter by `fusebox train path/my_model.so`, or
// by `fusebox train my_model` if the library lies in a folder of plugins. A source holds one model. FUSEBOX_MODEL must
// not stand in an unnamed namespace.
#pragma once
#include <string>
#include <type_traits>

#include "absl/status/statusor.h"
#include "fusebox/build_id.h"
#include "fusebox/plugins/sdk/sdk.h"
#include "fusebox/runtime/sequential.h"

namespace fusebox {

// FUSEBOX_BUILD_ID of this libfusebox: a digest of all public headers (cmake/BuildId.cmake). A model's library uses the
// C++ API, so it must be built with the same headers as the libfusebox that loads it, and with the same standard
// library. Their build ids tell whether they fit.
const char* HeadersId();

// The text that a model's library passes to the command.
struct ModelText {
  // The description, JSON as in .keras files, and the training program (.fbg). The program is empty unless the model is
  // compiled and its input is known.
  std::string config, program;
};
// Describes a model. Errors: those of the model; a class that cannot be described (see Model::Traced).
absl::StatusOr<ModelText> DescribeModel(const Model& model);

// Makes the model that ModelText::config describes. `who` names the text in error messages.
absl::StatusOr<Model> ModelFromText(const std::string& config, const std::string& who,
                                    std::optional<int64_t> seed = {});

namespace sdk {

// The full id of a model's item, at compile time.
struct ModelId {
  char text[128] = {};  // "fusebox/my_model".
};
// Completes the bare name "my_model" to the item's id "fusebox/my_model". Ids with a '/' stay as they are.
consteval ModelId MakeModelId(std::string_view id) {
  ModelId full;
  char* to = full.text;
  if (id.find('/') == std::string_view::npos) to = std::ranges::copy(std::string_view("fusebox/"), to).out;
  std::ranges::copy(id, to);
  return full;
}

// Calls Build behind the C interface of the plugin ABI: writes the model's description and program, or reports an
// error.
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

// The hooks of the model that Build makes.
template <auto Build>
inline constexpr FbModelHooks kModelHooks = {sizeof(FbModelHooks), 0, FUSEBOX_BUILD_ID, BuildTrampoline<Build>};

// Describes the model's item to the plugin registry.
template <auto Build, size_t N>
consteval FbItem DescribeModelItem(const Item<N>& item, const ModelId& id) {
  const uint32_t count = item.attributes[0].name != nullptr ? uint32_t{N} : 0u;
  return {sizeof(FbItem),  FB_MODEL, item.major,          count, id.text, item.doc,
          item.attributes, nullptr,  &kModelHooks<Build>, 0,     0};
}

}  // namespace sdk
}  // namespace fusebox

#ifdef FUSEBOX_MODEL_LIBRARY
// Defines the library's entry and the model's item. The entry is weak, so that several sources of a library may each
// define a model. The section fusebox_model marks the library as one with models, so that its kind is known without
// loading it.
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
// Does nothing in a program: see the head of this file.
#define FUSEBOX_MODEL(Build, ...)                                                      \
  [[maybe_unused]] static constexpr ::fusebox::sdk::Item k##Build##Item = __VA_ARGS__; \
  static_assert(true)
#endif
