// SPDX-License-Identifier: Apache-2.0
// fusebox plugins list, fusebox plugins describe NAME
#include <cmath>
#include <memory>

#include "fmt/ranges.h"
#include "fusebox/graph/warning.h"
#include "fusebox/runtime/plugins/nearest.h"
#include "fusebox/runtime/plugins/objects.h"
#include "nlohmann/json.hpp"
#include "tools/command.h"
#include "tools/json_output.h"

namespace fusebox::tools {
namespace {

using Json = nlohmann::ordered_json;

struct PluginsWords {
  std::string kind, name;
  bool json = false;
};

// Whether the value stands for none: an infinite bound, or the smallest integer (see plugins/sdk/schema.h).
bool IsNone(const AttributeValue& value) {
  return value == AttributeValue(HUGE_VAL) || value == AttributeValue(std::numeric_limits<int64_t>::min());
}

std::string ValueText(const AttributeValue& value) {
  if (IsNone(value)) return "";
  if (const bool* v = std::get_if<bool>(&value)) return *v ? "true" : "false";
  if (const int64_t* v = std::get_if<int64_t>(&value)) return fmt::format("{}", *v);
  if (const double* v = std::get_if<double>(&value)) return fmt::format("{}", *v);
  if (const Ints* v = std::get_if<Ints>(&value)) return fmt::format("[{}]", fmt::join(*v, ";"));
  return std::get<std::string>(value);
}

std::string TypeText(const AttributeInfo& a) {
  std::string text = a.type == FB_ITEM ? KindName(a.item_kind) : AttributeTypeName(a.type);
  const bool low = std::isfinite(a.min), high = std::isfinite(a.max);
  if (low && high)
    text += fmt::format(" in [{}, {}]", a.min, a.max);
  else if (low)
    text += fmt::format(" >= {}", a.min);
  else if (high)
    text += fmt::format(" <= {}", a.max);
  return text;
}

Json AttributeJson(const AttributeInfo& a) {
  Json json = {{"name", a.name},
               {"type", a.type == FB_ITEM ? KindName(a.item_kind) : AttributeTypeName(a.type)},
               {"required", a.required}};
  if (!a.required && !a.optional) std::visit([&](const auto& v) { json["default"] = v; }, a.default_value);
  if (!a.required && IsNone(a.default_value)) json["default"] = nullptr;
  if (std::isfinite(a.min)) json["min"] = a.min;
  if (std::isfinite(a.max)) json["max"] = a.max;
  json["doc"] = a.doc;
  return json;
}

Json ItemJson(const PluginItem& item) {
  Json json = {
      {"kind", KindName(item.kind)},      {"id", item.key()},          {"doc", item.doc}, {"plugin", item.library->id},
      {"version", item.library->version}, {"path", item.library->path}};
  json["attributes"] = Json::array();
  for (const AttributeInfo& a : item.attributes) json["attributes"].push_back(AttributeJson(a));
  return json;
}

std::string ItemText(const PluginItem& item) {
  std::string text = fmt::format("{} {}\n  {}\n  from plugin {}{}\n  {}\n", KindName(item.kind), item.key(), item.doc,
                                 item.library->name(),
                                 item.library->licence.empty() ? "" : ", " + item.library->licence, item.library->path);
  if (item.attributes.empty()) return text + "  no attributes\n";
  text += "  attributes:\n";
  for (const AttributeInfo& a : item.attributes) {
    const std::string value = a.required ? "required"
                              : a.optional || ValueText(a.default_value).empty()
                                  ? "default none"
                                  : fmt::format("default {}", ValueText(a.default_value));
    text += fmt::format("    {:<22}{:<18}{:<26}{}\n", a.name, TypeText(a), value, a.doc);
  }
  return text;
}

absl::Status List(const PluginsWords& words) {
  const Registry& registry = Registry::Default();
  Json json = Json::array();
  std::string text;
  for (const PluginItem* item : registry.items()) {
    if (!words.kind.empty() && words.kind != KindName(item->kind)) continue;
    json.push_back(ItemJson(*item));
    text += fmt::format("{:<13}{:<34}{:<30}{}\n", KindName(item->kind), item->name(), item->library->name(), item->doc);
  }
  if (words.kind.empty() || words.kind == "model") {
    for (const Registry::ModelFile& model : registry.models()) {
      json.push_back({{"kind", "model"}, {"id", model.id}, {"path", model.path}});
      text += fmt::format("{:<13}{:<34}{}\n", "model", model.id, model.path);
    }
  }
  for (const std::string& reason : registry.refused()) PrintError("fusebox: refused: " + reason);
  Print(words.json ? JsonText(json) : text);
  return absl::OkStatus();
}

absl::Status Describe(const PluginsWords& words) {
  const Registry& registry = Registry::Default();
  Json json = Json::array();
  std::string text;
  absl::Status ambiguous;
  const auto add = [&](const PluginItem& item) {
    json.push_back(ItemJson(item));
    text += ItemText(item);
  };
  for (uint32_t kind = FB_LAYER; kind <= FB_DATASET; ++kind) {
    const absl::StatusOr<const PluginItem*> item = registry.Find(kind, words.name);
    if (item.ok()) add(**item);
    if (!item.ok() && !absl::IsNotFound(item.status())) ambiguous = item.status();
  }
  if (json.empty()) {
    const absl::StatusOr<PluginItem> model = FindModel(registry, words.name, HeadersId());
    if (model.ok()) add(*model);
    if (!model.ok() && words.name.find(".so") != std::string::npos) return model.status();
  }
  if (json.empty()) {
    if (!ambiguous.ok()) return ambiguous;
    std::vector<std::string> known;
    for (const PluginItem* item : registry.items()) known.emplace_back(item->name());
    for (const Registry::ModelFile& model : registry.models()) known.push_back(model.id);
    return Refuse("unknown plugin '{}': {}", words.name, SuggestNames(words.name, known));
  }
  Print(words.json ? JsonText(json) : text);
  return absl::OkStatus();
}

}  // namespace

void AddPlugins(CLI::App& app, Action& action) {
  CLI::App* verb = app.add_subcommand("plugins", "Show layers, losses, optimizers and other plugins");
  verb->require_subcommand(1);
  const auto words = std::make_shared<PluginsWords>();
  CLI::App* list = verb->add_subcommand("list", "List all plugins");
  list->add_option("--kind", words->kind, "Only this kind, for example layer");
  list->add_flag("--json", words->json, "Print JSON");
  list->callback([words, &action] { action = [words] { return List(*words); }; });
  CLI::App* describe = verb->add_subcommand("describe", "Show one plugin with its attributes");
  describe->add_option("NAME", words->name, "\"dense\", \"acme/gated\", or a model's library")->required();
  describe->add_flag("--json", words->json, "Print JSON");
  describe->callback([words, &action] { action = [words] { return Describe(*words); }; });
}

}  // namespace fusebox::tools
