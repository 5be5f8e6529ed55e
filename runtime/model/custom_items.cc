// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/model/custom_items.h"

#include <algorithm>
#include <map>
#include <memory>

#include "fmt/ranges.h"
#include "fusebox/graph/status.h"
#include "fusebox/plugins/sdk/plugin_abi.h"
#include "fusebox/runtime/describe/item_names.h"
#include "fusebox/runtime/expand/expand.h"

namespace fusebox {
namespace {

class Replacer {
 public:
  explicit Replacer(const std::vector<std::pair<std::string, CustomItem>>& custom) : custom_(custom) {}

  void Replace(ItemSpec& item) const {
    for (auto& [name, value] : item.attributes) ReplaceNamed(value);
    const CustomItem* const custom = Find(item.id);
    if (custom == nullptr) return;
    ItemSpec own = *custom->spec;
    if (own.function == nullptr) own.attributes.insert(item.attributes.begin(), item.attributes.end());
    item = std::move(own);
  }
  void Replace(std::vector<ItemSpec>& items) const {
    for (ItemSpec& item : items) Replace(item);
  }
  void Replace(ModelConfig& model) const {
    for (LayerConfig& layer : model.layers) {
      if (!layer.item.id.empty()) Replace(layer.item);
      if (layer.model == nullptr) continue;
      auto inner = std::make_shared<ModelConfig>(*layer.model);
      Replace(*inner);
      layer.model = std::move(inner);
    }
    if (!model.compile) return;
    CompileConfig& compile = *model.compile;
    Replace(compile.optimizer);
    Replace(compile.loss);
    Replace(compile.metrics);
    Replace(compile.weighted_metrics);
    for (OutputLoss& output : compile.outputs) {
      Replace(output.loss);
      Replace(output.metrics);
      Replace(output.weighted_metrics);
    }
  }

 private:
  // An item within an item: an initializer, a schedule.
  void ReplaceNamed(AttributeValue& value) const {
    const std::string* const text = std::get_if<std::string>(&value);
    absl::StatusOr<ItemSpec> named = text == nullptr ? ItemSpec{} : ParseItemSpec(*text);
    if (!named.ok() || Find(named->id) == nullptr || Find(named->id)->spec->function != nullptr) return;
    Replace(*named);
    value = Print(*named);
  }

  // By the name of the class or function, with or without its package, as in "my_package>MyLoss".
  const CustomItem* Find(const std::string& id) const {
    const ItemName item = SplitItemId(id);
    for (const auto& [name, custom] : custom_) {
      const size_t split = name.find('>');
      const std::string last = split == std::string::npos ? name : name.substr(split + 1);
      if (split != std::string::npos && name.substr(0, split) != item.space) continue;
      if (!id.empty() && (last == item.name || ItemNameOfClass(last) == item.name)) return &custom;
    }
    return nullptr;
  }

  const std::vector<std::pair<std::string, CustomItem>>& custom_;
};

}  // namespace

absl::Status UseCustomItems(const std::vector<std::pair<std::string, CustomItem>>& custom, ModelConfig& model) {
  for (const auto& [name, item] : custom) {
    if (!item.spec.ok()) return Refuse("custom '{}': {}", name, Message(item.spec.status()));
  }
  if (!custom.empty()) Replacer(custom).Replace(model);
  return absl::OkStatus();
}

absl::Status CheckLayersKnown(const ModelConfig& model, const Expansions& embedded, const std::string& who) {
  std::map<std::string, std::vector<std::string>> unknown;  // Their layers, by class.
  std::string why;
  for (const LeafLayer& leaf : LeafLayers(model)) {
    const ItemSpec& item = leaf.layer->item;
    if (item.id.empty()) continue;
    const absl::Status known = ResolveItem(FB_LAYER, item, embedded).status();
    if (!absl::IsNotFound(known)) continue;
    why = Message(known);
    const ItemName name = SplitItemId(item.id);
    const std::string of = name.space == "fusebox" ? "" : fmt::format(" of {}", name.space);
    unknown[KerasClassName(item.id) + of].push_back(fmt::format("'{}'", leaf.path));
  }
  if (unknown.empty()) return absl::OkStatus();
  std::string all;
  constexpr size_t kMost = 4;
  for (auto& [name, layers] : unknown) {
    const size_t more = layers.size() - std::min(layers.size(), kMost);
    layers.resize(layers.size() - more);
    all += fmt::format("{}{} ({}{})", all.empty() ? "" : ", ", name, fmt::join(layers, ", "),
                       more == 0 ? "" : fmt::format(" and {} more", more));
  }
  return Refuse(
      "{}: {}; what Keras takes as custom_objects is a plugin here (--plugin-path), or LoadModel's .custom in C++", who,
      unknown.size() == 1 ? fmt::format("layer {}: {}", all, why) : fmt::format("unknown layers: {}", all));
}

}  // namespace fusebox
