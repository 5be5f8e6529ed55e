// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/plugins/registry.h"

#include <sys/stat.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <iterator>
#include <mutex>
#include <optional>

#include "absl/strings/ascii.h"
#include "fusebox/graph/status.h"
#include "fusebox/runtime/describe/item_names.h"
#include "fusebox/runtime/plugins/nearest.h"
#include "fusebox/runtime/plugins/optimizer_attributes.h"
#include "fusebox/runtime/plugins/trust.h"

namespace fusebox {
namespace {

std::mutex plugin_path_mutex;
std::string& PluginPath() {
  static auto* const path = new std::string;
  return *path;
}

std::string FileIdentity(const std::filesystem::path& path) {
  struct stat s;
  return stat(path.c_str(), &s) == 0 ? fmt::format("{}:{}", s.st_dev, s.st_ino) : path.string();
}

std::string Environment(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

std::string Show(const AttributeValue& value) {
  if (const bool* v = std::get_if<bool>(&value)) return *v ? "true" : "false";
  if (const int64_t* v = std::get_if<int64_t>(&value)) return fmt::format("{}", *v);
  if (const double* v = std::get_if<double>(&value)) return fmt::format("{}", *v);
  if (const std::string* v = std::get_if<std::string>(&value)) return fmt::format("'{}'", *v);
  std::string text;
  for (const int64_t v : std::get<Ints>(value)) text += fmt::format("{}{}", text.empty() ? "" : ", ", v);
  return "[" + text + "]";
}

// Names in Keras that are no class names.
constexpr struct {
  uint32_t kind;
  std::string_view alias, name;
} kAliases[] = {
    {FB_INITIALIZER, "uniform", "random_uniform"},
    {FB_INITIALIZER, "normal", "random_normal"},
    {FB_INITIALIZER, "zero", "zeros"},
    {FB_INITIALIZER, "one", "ones"},
    {FB_LOSS, "bce", "binary_crossentropy"},
    {FB_LOSS, "BCE", "binary_crossentropy"},
    {FB_LOSS, "ce", "crossentropy"},
    {FB_LOSS, "kld", "kl_divergence"},
    {FB_LOSS, "KLD", "kl_divergence"},
    {FB_LOSS, "logcosh", "log_cosh"},
    {FB_LOSS, "mae", "mean_absolute_error"},
    {FB_LOSS, "MAE", "mean_absolute_error"},
    {FB_LOSS, "mape", "mean_absolute_percentage_error"},
    {FB_LOSS, "MAPE", "mean_absolute_percentage_error"},
    {FB_LOSS, "mse", "mean_squared_error"},
    {FB_LOSS, "MSE", "mean_squared_error"},
    {FB_LOSS, "msle", "mean_squared_logarithmic_error"},
    {FB_LOSS, "MSLE", "mean_squared_logarithmic_error"},
    {FB_METRIC, "acc", "accuracy"},
    {FB_METRIC, "Accuracy", "accuracy"},
    {FB_METRIC, "bce", "binary_crossentropy"},
    {FB_METRIC, "BCE", "binary_crossentropy"},
    {FB_METRIC, "f_beta_score", "fbeta_score"},
    {FB_METRIC, "kld", "kl_divergence"},
    {FB_METRIC, "logcosh", "log_cosh_error"},
    {FB_METRIC, "mae", "mean_absolute_error"},
    {FB_METRIC, "MAE", "mean_absolute_error"},
    {FB_METRIC, "mape", "mean_absolute_percentage_error"},
    {FB_METRIC, "MAPE", "mean_absolute_percentage_error"},
    {FB_METRIC, "mse", "mean_squared_error"},
    {FB_METRIC, "MSE", "mean_squared_error"},
    {FB_METRIC, "msle", "mean_squared_logarithmic_error"},
    {FB_METRIC, "MSLE", "mean_squared_logarithmic_error"},
};

// Keras also finds items by the names of their classes, and optimizers however they are capitalised: "AUC", "RMSProp".
std::vector<std::string> NamesOfClass(uint32_t kind, std::string_view name) {
  if (name.empty() || !absl::ascii_isupper(static_cast<unsigned char>(name[0]))) return {};
  std::vector<std::string> names = {ItemNameOfClass(name)};
  if (kind == FB_OPTIMIZER) std::ranges::transform(name, std::back_inserter(names.emplace_back()), absl::ascii_tolower);
  return names;
}

// Whether the attribute's text names another item.
bool TakesItem(const AttributeInfo& info) {
  return info.type == FB_ITEM || (info.type == FB_FLOAT && info.item_kind != 0);
}

// Describes the values that an attribute takes, for messages: "an int of at least 1".
std::string Expected(const AttributeInfo& info) {
  std::string text = info.type == FB_INT      ? "an int"
                     : info.type == FB_FLOAT  ? "a float"
                     : info.numbers           ? "a list of numbers, as in [0.5;1e-3]"
                     : info.type == FB_STRING ? "a string"
                     : info.type == FB_FLAG   ? "true or false"
                     : info.type == FB_INTS   ? "a list of ints"
                                              : fmt::format("the name of a known {}", KindName(info.item_kind));
  if (info.type != FB_INT && info.type != FB_FLOAT && info.type != FB_INTS) return text;
  const bool low = info.min > -HUGE_VAL, high = info.max < HUGE_VAL;
  if (low && high)
    text += fmt::format(" in [{}, {}]", info.min, info.max);
  else if (low)
    text += fmt::format(" of at least {}", info.min);
  else if (high)
    text += fmt::format(" of at most {}", info.max);
  if (TakesItem(info) && info.type == FB_FLOAT)
    text += fmt::format(", or the name of a known {}", KindName(info.item_kind));
  return text;
}

// A list of numbers in its canonical form.
std::optional<AttributeValue> Numbers(const AttributeValue& value) {
  std::vector<double> numbers;
  if (const int64_t* v = std::get_if<int64_t>(&value)) numbers = {double(*v)};
  if (const double* v = std::get_if<double>(&value)) numbers = {*v};
  if (const Ints* v = std::get_if<Ints>(&value)) numbers.assign(v->begin(), v->end());
  if (const std::string* v = std::get_if<std::string>(&value)) numbers = ParseNumbers(*v).value_or(numbers);
  if (numbers.empty()) return std::nullopt;
  return NumbersText(numbers);
}

// Converts the value to the attribute's type; nullopt if it cannot be.
std::optional<AttributeValue> Convert(const AttributeInfo& info, const AttributeValue& value) {
  const int64_t* const integer = std::get_if<int64_t>(&value);
  const auto only = [&](auto wanted) -> std::optional<AttributeValue> {
    if (std::holds_alternative<decltype(wanted)>(value)) return value;
    return std::nullopt;
  };
  if (TakesItem(info) && std::holds_alternative<std::string>(value)) return value;
  if (info.numbers) return Numbers(value);
  switch (info.type) {
    case FB_FLAG:
      return only(false);
    case FB_INT:
      return only(int64_t{});
    case FB_FLOAT:
      return integer != nullptr ? AttributeValue(double(*integer)) : only(0.0);
    case FB_INTS:
      return integer != nullptr ? AttributeValue(Ints{*integer}) : only(Ints());
    default:
      return only(std::string());
  }
}

bool InRange(const AttributeInfo& info, const AttributeValue& value) {
  const auto in = [&](double v) { return v >= info.min && v <= info.max; };
  if (const int64_t* v = std::get_if<int64_t>(&value)) return in(double(*v));
  if (const double* v = std::get_if<double>(&value)) return in(*v);
  if (const Ints* v = std::get_if<Ints>(&value))
    return std::ranges::all_of(*v, [&](int64_t i) { return in(double(i)); });
  return true;
}

}  // namespace

const Registry& Registry::Default() {
  static const Registry* const registry = [] {
    auto* r = new Registry;
    const std::lock_guard lock(plugin_path_mutex);
    r->LoadSearchPath(PluginPath());
    return r;
  }();
  return *registry;
}

void Registry::SetPluginPath(std::string list) {
  const std::lock_guard lock(plugin_path_mutex);
  PluginPath() = std::move(list);
}

absl::Status Registry::Load(const std::filesystem::path& path) {
  const std::string identity = FileIdentity(path);
  if (files_.contains(identity)) return absl::OkStatus();
  FUSEBOX_ASSIGN_OR_RETURN(LoadedLibrary loaded, LoadLibrary(path));
  for (const PluginItem& item : loaded.items) {
    const auto old = items_.find(Key(item.kind, item.id, item.major));
    if (old != items_.end()) {
      return absl::AlreadyExistsError(fmt::format("{}: plugin {} brings {} {}, as does plugin {} ({})", path.string(),
                                                  loaded.library->name(), KindName(item.kind), item.key(),
                                                  old->second.library->name(), old->second.library->path));
    }
  }
  files_.insert(identity);
  libraries_.push_back(loaded.library);
  for (PluginItem& item : loaded.items) {
    Key key(item.kind, item.id, item.major);
    items_.emplace(std::move(key), std::move(item));
  }
  return absl::OkStatus();
}

void Registry::LoadFolder(const std::filesystem::path& folder) {
  std::error_code error;
  std::vector<std::filesystem::path> files;
  for (auto it = std::filesystem::directory_iterator(folder, error);
       !error && it != std::filesystem::directory_iterator(); it.increment(error)) {
    if (it->path().extension() == ".so") files.push_back(it->path());
  }
  std::ranges::sort(files);
  for (const std::filesystem::path& file : files) {
    if (IsModelLibrary(file)) {
      const std::string id = file.stem().string();
      if (std::ranges::find(models_, id, &ModelFile::id) == models_.end()) models_.push_back({id, file.string()});
    } else if (const absl::Status status = Load(file); !status.ok()) {
      refused_.push_back(Message(status));
    }
  }
}

void Registry::LoadSearchPath(std::string_view plugin_path) {
  const std::string from_environment = Environment("FUSEBOX_PLUGIN_PATH");
  for (const bool is_option : {true, false}) {
    std::string_view list = is_option ? plugin_path : from_environment;
    while (!list.empty()) {
      const size_t end = std::min(list.find(':'), list.size());
      const std::filesystem::path entry = list.substr(0, end);
      list.remove_prefix(std::min(end + 1, list.size()));
      std::error_code ignored;
      if (entry.empty()) continue;
      // A folder of this name could be anyone's, wherever the program is started.
      if (entry.is_relative() && !is_option) {
        refused_.push_back(fmt::format("FUSEBOX_PLUGIN_PATH: expected absolute paths, got '{}'", entry.string()));
        continue;
      }
      if (std::filesystem::is_directory(entry, ignored)) {
        LoadFolder(entry);
      } else if (IsModelLibrary(entry)) {
        models_.push_back({entry.stem().string(), entry.string()});
      } else if (const absl::Status status = Load(entry); !status.ok()) {
        refused_.push_back(Message(status));
      }
    }
  }
  if (const std::string home = Environment("HOME"); home.starts_with('/'))
    LoadFolder(std::filesystem::path(home) / ".local/lib/fusebox/plugins");
  if (const std::filesystem::path own = OwnFolder(); !own.empty()) LoadFolder(own / "fusebox/plugins");
}

absl::StatusOr<const PluginItem*> Registry::Find(uint32_t kind, std::string_view name) const {
  std::string_view id = name;
  std::optional<uint32_t> major;
  if (const size_t at = name.rfind('@'); at != name.npos) {
    id = name.substr(0, at);
    const char *const begin = name.data() + at + 1, *const end = name.data() + name.size();
    uint32_t number = 0;
    if (const auto [stop, code] = std::from_chars(begin, end, number); stop != end || code != std::errc())
      return Refuse("{} '{}': a number expected after '@'", KindName(kind), name);
    major = number;
  }
  for (const auto& [of_kind, alias, full] : kAliases) {
    if (of_kind == kind && alias == id) id = full;
  }
  // The highest major of an id comes last.
  const auto find = [&](std::string_view full) -> const PluginItem* {
    const PluginItem* found = nullptr;
    for (auto it = items_.lower_bound(Key(kind, full, 0)); it != items_.end(); ++it) {
      if (it->second.kind != kind || it->second.id != full) break;
      if (!major || it->second.major == *major) found = &it->second;
    }
    return found;
  };
  if (id.find('/') != id.npos) {
    if (const PluginItem* item = find(id)) return item;
    return absl::NotFoundError(WhyUnknown(kind, name));
  }
  if (const PluginItem* item = find(fmt::format("fusebox/{}", id))) return item;
  const PluginItem* only = nullptr;
  for (const auto& [key, item] : items_) {
    if (item.kind != kind || !item.id.ends_with(fmt::format("/{}", id)) || (major && item.major != *major)) continue;
    if (only != nullptr && only->id != item.id) {
      return Refuse("{} '{}' could be {} of plugin {} or {} of plugin {}: name it in full", KindName(kind), name,
                    only->id, only->library->name(), item.id, item.library->name());
    }
    only = &item;
  }
  if (only != nullptr) return only;
  for (const std::string& ours : NamesOfClass(kind, id)) {
    const absl::StatusOr<const PluginItem*> by_class = Find(kind, std::string(name).replace(0, id.size(), ours));
    if (by_class.ok()) return by_class;
  }
  return absl::NotFoundError(WhyUnknown(kind, name));
}

uint32_t Registry::KindOfReference(uint32_t kind, std::string_view name) const {
  const bool is_layer =
      kind == FB_ACTIVATION && absl::IsNotFound(Find(kind, name).status()) && Find(FB_LAYER, name).ok();
  return is_layer ? uint32_t{FB_LAYER} : kind;
}

std::string Registry::WhyUnknown(uint32_t kind, std::string_view name) const {
  // Compares names as a user types them: with namespace and major version only if the wrong name has them.
  const bool full = name.find('/') != name.npos, with_major = name.find('@') != name.npos;
  std::vector<std::string> known;
  for (const auto& [key, item] : items_) {
    if (item.kind != kind) continue;
    known.push_back(full ? item.id : std::string(item.name()));
    if (with_major) known.back() += fmt::format("@{}", item.major);
  }
  std::ranges::sort(known);
  known.erase(std::unique(known.begin(), known.end()), known.end());
  std::string text = fmt::format("unknown {} '{}': {}", KindName(kind), name, SuggestNames(name, known));
  if (!refused_.empty())
    text += fmt::format(" (plugin libraries refused: {}, the first is {})", refused_.size(), refused_[0]);
  return text;
}

absl::StatusOr<ItemSpec> Registry::Resolve(uint32_t kind, const ItemSpec& spec) const {
  FUSEBOX_ASSIGN_OR_RETURN(const PluginItem* item, Find(kind, spec.id));
  absl::StatusOr<ItemAttributes> attributes = CheckAttributes(*item, spec.attributes);
  if (!attributes.ok()) return Refuse("{}: {}", item->who(), Message(attributes.status()));
  for (const AttributeInfo& info : item->attributes) {
    const auto it = attributes->find(info.name);
    if (!TakesItem(info) || it == attributes->end()) continue;
    const std::string* const text = std::get_if<std::string>(&it->second);
    if (text == nullptr || text->empty()) continue;
    absl::StatusOr<ItemSpec> reference = ParseItemSpec(*text);
    if (reference.ok()) reference = Resolve(KindOfReference(info.item_kind, reference->id), *reference);
    if (!reference.ok()) return Refuse("{}: attribute '{}': {}", item->who(), info.name, Message(reference.status()));
  }
  // Results are logged under the name that the user gave.
  const bool by_another_name =
      spec.id.find_first_of("/@") == std::string::npos && spec.id != SplitItemId(item->id).name;
  if (kind == FB_METRIC && by_another_name) attributes->try_emplace("name", spec.id);
  return ItemSpec{item->key(), *std::move(attributes)};
}

std::vector<const PluginItem*> Registry::items() const {
  std::vector<const PluginItem*> all;
  for (const auto& [key, item] : items_) all.push_back(&item);
  return all;
}

absl::StatusOr<ItemAttributes> CheckAttributes(const PluginItem& item, const ItemAttributes& as_given) {
  ItemAttributes given = as_given;
  if (item.kind == FB_OPTIMIZER) FUSEBOX_RETURN_IF_ERROR(ResolveAliases(given));
  for (const auto& [name, value] : given) {
    if (item.Find(name) != nullptr) continue;
    if (item.attributes.empty()) return Refuse("has no attribute '{}', nor any other", name);
    const auto is_every_optimizers = [&] {
      const std::vector<AttributeInfo> all = OptimizerAttributes();
      return name == "learning_rate" || std::ranges::find(all, name, &AttributeInfo::name) != all.end();
    };
    if (ScalesLoss(item) && is_every_optimizers()) {
      return Refuse("takes no '{}': set it on the inner_optimizer, as in inner_optimizer='sgd:{}={}'", name, name,
                    Show(value));
    }
    std::vector<std::string> known;
    for (const AttributeInfo& info : item.attributes) known.push_back(info.name);
    return Refuse("has no attribute '{}': {}", name, SuggestNames(name, known));
  }
  ItemAttributes all;
  for (const AttributeInfo& info : item.attributes) {
    const auto it = given.find(info.name);
    if (it == given.end()) {
      if (info.required)
        return Refuse("needs attribute '{}', {}{}", info.name, Expected(info), info.doc.empty() ? "" : ": " + info.doc);
      if (!info.optional) all.emplace(info.name, info.default_value);
      continue;
    }
    std::optional<AttributeValue> value = Convert(info, it->second);
    const bool none = TakesItem(info) && value && *value == AttributeValue(std::string());
    if (none && info.optional) continue;
    const bool none_is_fine = !info.required && info.default_value == AttributeValue(std::string());
    if (!value || !InRange(info, *value) || (none && !none_is_fine))
      return Refuse("attribute '{}' must be {}, got {}", info.name, Expected(info), Show(it->second));
    all.emplace(info.name, *std::move(value));
  }
  if (item.kind == FB_OPTIMIZER) FUSEBOX_RETURN_IF_ERROR(CheckTogether(all));
  return all;
}

}  // namespace fusebox
