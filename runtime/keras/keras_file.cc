// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/keras/keras_file.h"

#include <charconv>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <map>
#include <set>

#include "fmt/chrono.h"
#include "fusebox/graph/status.h"
#include "fusebox/runtime/describe/item_names.h"
#include "fusebox/runtime/files/atomic_file.h"
#include "fusebox/runtime/files/bounded_reader.h"
#include "fusebox/runtime/files/hdf5_reader.h"
#include "fusebox/runtime/files/hdf5_writer.h"
#include "fusebox/runtime/files/json_text.h"
#include "fusebox/runtime/files/zip_archive.h"
#include "fusebox/runtime/keras/keras_config.h"

namespace fusebox {
namespace {

constexpr char kConfig[] = "config.json";
constexpr char kMetadata[] = "metadata.json";
constexpr char kWeights[] = "model.weights.h5";
constexpr std::string_view kActivation = "/activation";  // Of a layer that serves as another's activation.
constexpr char kKerasVersion[] = "3.15.1";               // The version whose form the files have.

// The class of a layer as Keras writes it in names of groups.
std::string ClassOf(const WeightGroup& group) { return group.class_name.empty() ? "Layer" : group.class_name; }

// "layers/dense", "layers/dense_1": the class and a number that counts each class by itself, in the order of the
// layers.
std::vector<std::string> GroupPaths(const std::vector<WeightGroup>& layers) {
  std::vector<std::string> paths;
  std::map<std::string, int> used;
  for (const WeightGroup& layer : layers) {
    if (!layer.path.empty()) {
      paths.push_back(layer.path);
      continue;
    }
    const std::string name = KerasSnakeCase(ClassOf(layer));
    const int count = used[name]++;
    paths.push_back(count == 0 ? fmt::format("layers/{}", name) : fmt::format("layers/{}_{}", name, count));
  }
  return paths;
}

// Not the current time: the same weights give the same bytes, so that files can be compared by their hash.
// SOURCE_DATE_EPOCH tells reproducible builds the time.
std::string DateSaved() {
  constexpr std::time_t kEarliestInZip = 315532800;  // 1980-01-01, the same as on the archive's members.
  std::time_t time = kEarliestInZip;
  if (const char* epoch = std::getenv("SOURCE_DATE_EPOCH"); epoch != nullptr) {
    int64_t seconds = 0;
    const std::string_view text = epoch;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
    constexpr int64_t kYear9999 = 253402300799;
    if (error == std::errc() && end == text.data() + text.size() && seconds >= 0 && seconds <= kYear9999)
      time = seconds;
  }
  return fmt::format("{:%Y-%m-%d@%H:%M:%S}", fmt::gmtime(time));
}

// The variable that a path names below a group: 3 for "layers/dense/vars/3" and "layers/dense".
std::optional<size_t> VariableIndex(std::string_view path, std::string_view group) {
  constexpr std::string_view kVars = "/vars/";
  if (!path.starts_with(group) || !path.substr(group.size()).starts_with(kVars)) return std::nullopt;
  const std::string_view digits = path.substr(group.size() + kVars.size());
  size_t index = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), index);
  if (error != std::errc() || end != digits.data() + digits.size() || std::to_string(index) != digits)
    return std::nullopt;
  return index;
}

absl::Status CheckGroups(const KerasFile& file) {
  const std::vector<LeafLayer> layers = LeafLayers(file.config);
  if (layers.size() != file.layers.size()) {
    return Refuse("weights of {} layers expected, got {}", layers.size(), file.layers.size());
  }
  for (size_t i = 0; i < layers.size(); ++i) {
    if (layers[i].path == file.layers[i].layer_name) continue;
    return Refuse("weights of layer '{}' expected, got those of '{}'", layers[i].path, file.layers[i].layer_name);
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> MetadataJson(const std::string& fusebox_metadata) {
  Json metadata = {{"keras_version", kKerasVersion}, {"date_saved", DateSaved()}};
  if (!fusebox_metadata.empty()) {
    FUSEBOX_ASSIGN_OR_RETURN(metadata["fusebox"], ParseJson(fusebox_metadata, "the metadata of a .keras file"));
  }
  return JsonText(metadata);
}

// Where Keras keeps the weights of a layer that wraps another one: "/layer", or "/layer/layer".
std::string PathWithin(const ItemSpec& item) {
  const std::string* const text = TextAttribute(item, "layer");
  const ItemName id = SplitItemId(item.id);
  if (text == nullptr || id.space != "fusebox" || id.name != "time_distributed") return "";
  const absl::StatusOr<ItemSpec> inner = ParseItemSpec(*text);
  return "/layer" + (inner.ok() ? PathWithin(*inner) : "");
}

void AddGroups(const ModelConfig& config, const std::string& scope, const std::string& container,
               std::vector<WeightGroup>& groups) {
  std::map<std::string, int> used;
  for (const LayerConfig& layer : config.layers) {
    const bool is_member = size_t(&layer - config.layers.data()) < config.members;
    const std::string class_name = KerasClassOf(layer), name = KerasSnakeCase(class_name);
    const int count = used[name]++;
    std::string path = container + "layers/" + (count == 0 ? name : fmt::format("{}_{}", name, count));
    // Keras goes through the attributes of a class by name; `layers`, which holds all layers, is one of them.
    const std::string attribute = layer.place.empty() ? layer.name : layer.place.substr(0, layer.place.find('/'));
    if (is_member && attribute < "layers" && attribute[0] != '_') {
      path = container + (layer.place.empty() ? layer.name : layer.place);
    }
    // Layers without weights, which Keras does not count.
    if (config.IsSubclass() && !is_member) path = container + "in_call/" + layer.name;
    if (layer.model) {
      path += layer.IsTimeDistributedModel() ? "/layer/" : "/";
      AddGroups(*layer.model, scope + layer.name + "/", path, groups);
    } else {
      groups.push_back({scope + layer.name, class_name, {}, path + PathWithin(layer.item)});
    }
  }
}

}  // namespace

std::vector<WeightGroup> GroupsOf(const ModelConfig& config) {
  std::vector<WeightGroup> groups;
  AddGroups(config, "", "", groups);
  return groups;
}

absl::StatusOr<std::string> KerasWeightsBytes(const KerasWeights& weights) {
  std::vector<NamedTensor> datasets;
  const std::vector<std::string> paths = GroupPaths(weights.layers);
  for (size_t i = 0; i < paths.size(); ++i) {
    const WeightGroup& layer = weights.layers[i];
    std::map<std::string, int> used;
    for (size_t k = 0; k < layer.vars.size(); ++k) {
      const std::string group = paths[i] + (k < layer.places.size() ? layer.places[k] : "");
      datasets.push_back({fmt::format("{}/vars/{}", group, used[group]++), layer.vars[k]});
    }
  }
  for (size_t k = 0; k < weights.optimizer_vars.size(); ++k) {
    datasets.push_back({fmt::format("optimizer/vars/{}", k), weights.optimizer_vars[k]});
  }
  for (size_t k = 0; k < weights.inner_optimizer_vars.size(); ++k) {
    datasets.push_back({fmt::format("optimizer/inner_optimizer/vars/{}", k), weights.inner_optimizer_vars[k]});
  }
  return Hdf5Bytes(datasets);
}

namespace {

absl::StatusOr<KerasWeights> FromDatasets(const std::vector<NamedTensor>& datasets, const std::string& who,
                                          std::vector<WeightGroup> layers) {
  const std::vector<std::string> paths = GroupPaths(layers);
  const std::set<std::string, std::less<>> known_paths(paths.begin(), paths.end());
  std::map<std::string, std::map<size_t, Tensor>> found;  // By group, by index: "10" stands before "2" in the file.
  for (const NamedTensor& dataset : datasets) {
    if (dataset.name.find("/seed_generator/") != std::string::npos) continue;  // Ours derives its seeds from the step.
    if (dataset.name.starts_with("metrics/")) continue;                        // Accumulators of Keras 2.
    if (dataset.name.starts_with("optimizer/inner_optimizer/")) continue;      // The same as in optimizer/.
    const std::string group = dataset.name.substr(0, std::min(dataset.name.find("/vars/"), dataset.name.size()));
    std::string layer = group;
    while (!known_paths.contains(layer) && layer.ends_with(kActivation)) {
      layer.resize(layer.size() - kActivation.size());
    }
    const std::optional<size_t> index = VariableIndex(dataset.name, group);
    const bool known = group == "optimizer" || known_paths.contains(layer);
    if (!index || !known) {
      return Refuse("{}: '{}' belongs to no layer of the model, whose groups are: {}", who, dataset.name,
                    fmt::join(paths, " "));
    }
    found[group][*index] = dataset.value;
  }
  const auto take = [&](const std::string& group, std::vector<Tensor>& vars) -> absl::Status {
    size_t next = 0;
    for (auto& [index, value] : found[group]) {
      if (index != next) return Refuse("{}: '{}/vars/{}' is missing", who, group, next);
      vars.push_back(std::move(value));
      ++next;
    }
    return absl::OkStatus();
  };
  KerasWeights weights{std::move(layers), {}, {}};
  for (size_t i = 0; i < paths.size(); ++i) {
    WeightGroup& layer = weights.layers[i];
    layer.vars.clear();
    layer.places.clear();
    std::string place;
    do {
      FUSEBOX_RETURN_IF_ERROR(take(paths[i] + place, layer.vars));
      layer.places.resize(layer.vars.size(), place);
      place += kActivation;
    } while (found.contains(paths[i] + place) && !known_paths.contains(paths[i] + place));
  }
  FUSEBOX_RETURN_IF_ERROR(take("optimizer", weights.optimizer_vars));
  // The iteration: Keras writes an i64, on its JAX backend an i32.
  if (!weights.optimizer_vars.empty() && weights.optimizer_vars[0].dtype() == DType::kI32) {
    weights.optimizer_vars[0] = weights.optimizer_vars[0].Cast(DType::kI64);
  }
  return weights;
}

// The datasets of all files that a .weights.json names, which lie beside it.
absl::StatusOr<std::vector<NamedTensor>> ReadShards(const std::string& path) {
  const std::string who = fmt::format("'{}'", path);
  FUSEBOX_ASSIGN_OR_RETURN(const std::string bytes, ReadWholeFile(path));
  FUSEBOX_ASSIGN_OR_RETURN(const Json json, ParseJson(bytes, who));
  std::set<std::string> files;
  for (const Json& of_layer : Member(json, "weight_map")) {
    for (const Json& file : of_layer.is_array() ? of_layer : Json::array({of_layer})) {
      const bool is_plain = file.is_string() && file.get<std::string>().find('/') == std::string::npos;
      if (!is_plain) return Refuse("{}: weight_map: names of files beside it expected, got {}", who, Excerpt(file));
      files.insert(file.get<std::string>());
    }
  }
  if (files.empty()) return Refuse("{}: its weight_map, which names the files with the weights, is missing", who);
  std::vector<NamedTensor> all;
  for (const std::string& file : files) {
    const std::string shard = (std::filesystem::path(path).parent_path() / file).string();
    FUSEBOX_ASSIGN_OR_RETURN(const std::string content, ReadWholeFile(shard));
    FUSEBOX_ASSIGN_OR_RETURN(std::vector<NamedTensor> datasets, ReadHdf5(content, fmt::format("'{}'", shard)));
    std::ranges::move(datasets, std::back_inserter(all));
  }
  return all;
}

}  // namespace

absl::StatusOr<KerasWeights> ParseKerasWeights(std::string_view bytes, const std::string& who,
                                               std::vector<WeightGroup> layers) {
  FUSEBOX_ASSIGN_OR_RETURN(const std::vector<NamedTensor> datasets, ReadHdf5(bytes, who));
  return FromDatasets(datasets, who, std::move(layers));
}

absl::Status WriteKerasWeights(const std::string& path, const KerasWeights& weights) {
  FUSEBOX_ASSIGN_OR_RETURN(const std::string bytes, KerasWeightsBytes(weights));
  return WriteFileAtomically(path, bytes);
}

absl::StatusOr<KerasWeights> ReadKerasWeights(const std::string& path, std::vector<WeightGroup> layers) {
  if (path.ends_with(".weights.json")) {
    FUSEBOX_ASSIGN_OR_RETURN(const std::vector<NamedTensor> datasets, ReadShards(path));
    return FromDatasets(datasets, fmt::format("'{}'", path), std::move(layers));
  }
  FUSEBOX_ASSIGN_OR_RETURN(const std::string bytes, ReadWholeFile(path));
  return ParseKerasWeights(bytes, fmt::format("'{}'", path), std::move(layers));
}

absl::StatusOr<std::string> KerasBytes(const KerasFile& file) {
  FUSEBOX_RETURN_IF_ERROR(CheckGroups(file));
  KerasWeights weights{file.layers, file.optimizer_vars, file.inner_optimizer_vars};
  const std::vector<WeightGroup> groups = GroupsOf(file.config);
  for (size_t i = 0; i < groups.size(); ++i) weights.layers[i].path = groups[i].path;
  FUSEBOX_ASSIGN_OR_RETURN(std::string metadata, MetadataJson(file.fusebox_metadata));
  FUSEBOX_ASSIGN_OR_RETURN(std::string image, KerasWeightsBytes(weights));
  return ZipBytes(
      {{kMetadata, std::move(metadata)}, {kConfig, KerasConfigJson(file.config)}, {kWeights, std::move(image)}});
}

absl::Status WriteKeras(const std::string& path, const KerasFile& file) {
  const absl::StatusOr<std::string> bytes = KerasBytes(file);
  if (!bytes.ok()) return absl::Status(bytes.status().code(), fmt::format("'{}': {}", path, Message(bytes.status())));
  return WriteFileAtomically(path, *bytes);
}

absl::StatusOr<KerasFile> ParseKeras(std::string_view bytes, const std::string& who,
                                     const std::function<absl::StatusOr<uint64_t>(KerasFile&)>& on_config) {
  FUSEBOX_ASSIGN_OR_RETURN(const std::vector<std::string> names, ZipNames(bytes, who));
  for (const std::string& name : names) {
    const bool known = name == kConfig || name == kMetadata || name == kWeights;
    if (name == "model.weights.npz") {
      return Refuse(
          "{}: its weights are model.weights.npz, Python objects that Keras writes where h5py is missing: open it in "
          "Keras with h5py and save it again",
          who);
    }
    // Keras may store files of its preprocessing layers in assets/; we have none of those layers.
    if (!known && !name.starts_with("assets/")) return Refuse("{}: a .keras file has no member '{}'", who, name);
  }
  for (const char* name : {kConfig, kWeights}) {
    if (std::ranges::find(names, name) == names.end())
      return Refuse("{}: not a .keras file: its member '{}' is missing", who, name);
  }
  // The weights come last, when it is known how large they may be.
  std::map<std::string, std::string> content;
  const auto unpack = [&](uint64_t budget, bool weights) -> absl::Status {
    FUSEBOX_ASSIGN_OR_RETURN(std::vector<ZipMember> members, ReadZip(bytes, who, budget, [&](const std::string& name) {
                               return weights ? name == kWeights : name == kConfig || name == kMetadata;
                             }));
    for (ZipMember& member : members) content[member.name] = std::move(member.bytes);
    return absl::OkStatus();
  };
  constexpr uint64_t kAlways = uint64_t{64} << 20;
  FUSEBOX_RETURN_IF_ERROR(unpack(kAlways + 4 * bytes.size(), false));
  KerasFile file;
  std::string version;
  if (content.contains(kMetadata)) {
    FUSEBOX_ASSIGN_OR_RETURN(const Json metadata, ParseJson(content[kMetadata], fmt::format("{}: {}", who, kMetadata)));
    if (metadata.is_object() && metadata.contains("fusebox")) file.fusebox_metadata = JsonText(metadata["fusebox"]);
    if (metadata.is_object() && metadata.contains("keras_version") && metadata["keras_version"].is_string())
      version = metadata["keras_version"].get<std::string>();
  }
  FUSEBOX_ASSIGN_OR_RETURN(file.config,
                           ParseKerasConfig(content[kConfig], fmt::format("{}: {}", who, kConfig), version));
  std::vector<WeightGroup> groups = GroupsOf(file.config);
  uint64_t budget = kByteBudget;
  if (on_config) {
    FUSEBOX_ASSIGN_OR_RETURN(const uint64_t weights, on_config(file));
    budget = std::min(budget, weights + 4 * bytes.size() + kAlways);
  }
  FUSEBOX_RETURN_IF_ERROR(unpack(budget, true));
  FUSEBOX_ASSIGN_OR_RETURN(
      KerasWeights weights,
      ParseKerasWeights(content[kWeights], fmt::format("{}: {}", who, kWeights), std::move(groups)));
  file.layers = std::move(weights.layers);
  file.optimizer_vars = std::move(weights.optimizer_vars);
  return file;
}

absl::StatusOr<KerasFile> ReadKeras(const std::string& path) {
  FUSEBOX_ASSIGN_OR_RETURN(const std::string bytes, ReadWholeFile(path));
  return ParseKeras(bytes, fmt::format("'{}'", path));
}

}  // namespace fusebox
