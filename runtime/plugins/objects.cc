// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/plugins/objects.h"

#include <algorithm>
#include <cstdio>
#include <optional>

#include "fusebox/graph/status.h"
#include "fusebox/runtime/plugins/abi_attributes.h"
#include "fusebox/runtime/plugins/float_mode.h"
#include "fusebox/runtime/plugins/nearest.h"

namespace fusebox {
namespace {

// Receives what a hook reports: its output and its error.
class Sink {
 public:
  using Write = std::function<void(std::string_view)>;
  explicit Sink(const Write& write) : write_(write) {}

  const FbSink* raw() const { return &raw_; }
  const std::optional<std::string>& error() const { return error_; }
  void Fail(const char* message) {
    if (!error_) error_ = message != nullptr ? message : "failed without a message";
  }

 private:
  static void OnFail(void* data, const char* message) noexcept { static_cast<Sink*>(data)->Fail(message); }
  static void OnWrite(void* data, const char* bytes, uint64_t count) noexcept {
    static_cast<Sink*>(data)->write_({bytes, count});
  }

  const Write& write_;
  std::optional<std::string> error_;
  const FbSink raw_ = {sizeof raw_, 0, this, OnFail, OnWrite};
};

// Calls a hook. A hook may not throw; an exception of one that does is an error and not the end of the host.
template <class Hook>
absl::Status CallHook(const PluginItem& item, const Sink::Write& write, Hook hook) {
  Sink sink(write);
  {
    const FloatModeGuard float_mode;
    try {
      hook(sink.raw());
    } catch (const std::exception& e) {
      sink.Fail(fmt::format("threw across the plugin's border: {}", e.what()).c_str());
    } catch (...) {
      sink.Fail("threw across the plugin's border");
    }
  }
  if (sink.error()) return Refuse("{}: {}", item.who(), *sink.error());
  return absl::OkStatus();
}

const Sink::Write kNowhere = [](std::string_view) {};
const Sink::Write kStderr = [](std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stderr);
  std::fflush(stderr);
};

// An object of FbCallbackHooks or FbDatasetHooks, destroyed by the side that made it.
template <class Hooks>
absl::StatusOr<std::shared_ptr<void>> Make(const PluginItem& item, const Hooks& hooks, const ItemSpec& spec) {
  const AbiAttributes attributes(item, spec.attributes);
  void* object = nullptr;
  const absl::Status status = CallHook(
      item, kNowhere, [&](const FbSink* sink) { object = hooks.create(attributes.data(), attributes.size(), sink); });
  std::shared_ptr<void> owner(object, [destroy = hooks.destroy](void* o) {
    if (o != nullptr) destroy(o);
  });
  if (!status.ok()) return status;
  if (object == nullptr) return Refuse("{}: made no object", item.who());
  return owner;
}

}  // namespace

absl::StatusOr<CallbackObject> CallbackObject::Create(const Registry& registry, const ItemSpec& spec) {
  FUSEBOX_ASSIGN_OR_RETURN(ItemSpec resolved, registry.Resolve(FB_CALLBACK, spec));
  FUSEBOX_ASSIGN_OR_RETURN(const PluginItem* item, registry.Find(FB_CALLBACK, resolved.id));
  FUSEBOX_ASSIGN_OR_RETURN(std::shared_ptr<void> object, Make(*item, item->callback, resolved));
  return CallbackObject(*item, std::move(resolved), std::move(object));
}

absl::Status CallbackObject::OnEvent(CallbackEvent& event, const Sink::Write& write) {
  if (!Wants(event.kind)) return absl::OkStatus();
  std::vector<const char*> names;
  std::vector<double> values;
  for (const auto& [name, value] : event.logs) {
    names.push_back(name.c_str());
    values.push_back(value);
  }
  FbEvent raw = {.struct_size = sizeof raw,
                 .kind = event.kind,
                 .flags = (event.terminal ? uint32_t{FB_TERMINAL} : 0u) | (event.colour ? uint32_t{FB_COLOUR} : 0u),
                 .log_count = uint32_t(names.size()),
                 .epoch = event.epoch,
                 .epochs = event.epochs,
                 .step = event.step,
                 .steps = event.steps,
                 .seconds = event.seconds,
                 .log_names = names.data(),
                 .log_values = values.data(),
                 .columns = event.columns,
                 .stop = 0};
  const absl::Status status = CallHook(*item_, write ? write : kStderr, [&](const FbSink* sink) {
    item_->callback.on_event(object_.get(), &raw, sink);
  });
  if (raw.stop != 0) event.stop = true;
  return status;
}

absl::StatusOr<std::string> CallbackObject::SaveState() const {
  std::string state;
  const Sink::Write append = [&](std::string_view bytes) { state += bytes; };
  FUSEBOX_RETURN_IF_ERROR(
      CallHook(*item_, append, [&](const FbSink* sink) { item_->callback.save_state(object_.get(), sink); }));
  return state;
}

absl::Status CallbackObject::LoadState(std::string_view state) {
  return CallHook(*item_, kNowhere, [&](const FbSink* sink) {
    item_->callback.load_state(object_.get(), state.data(), state.size(), sink);
  });
}

absl::StatusOr<DatasetObject> DatasetObject::Create(const Registry& registry, const ItemSpec& spec) {
  FUSEBOX_ASSIGN_OR_RETURN(const ItemSpec resolved, registry.Resolve(FB_DATASET, spec));
  FUSEBOX_ASSIGN_OR_RETURN(const PluginItem* item, registry.Find(FB_DATASET, resolved.id));
  FUSEBOX_ASSIGN_OR_RETURN(std::shared_ptr<void> object, Make(*item, item->dataset, resolved));
  return DatasetObject(*item, std::move(object));
}

absl::StatusOr<std::vector<DatasetObject::Split>> DatasetObject::Splits() const {
  const FbSplit* raw = nullptr;
  uint64_t count = 0;
  FUSEBOX_RETURN_IF_ERROR(CallHook(
      *item_, kNowhere, [&](const FbSink* sink) { count = item_->dataset.splits(object_.get(), &raw, sink); }));
  if (count == 0 || raw == nullptr) return Refuse("{}: has no splits", item_->who());
  std::vector<Split> splits;
  for (const FbSplit& s : ReadArray(raw, count)) {
    if (s.name == nullptr || s.rows < 0) return Refuse("{}: has a split without a name or a size", item_->who());
    splits.push_back({s.name, s.rows});
  }
  return splits;
}

absl::StatusOr<DatasetObject::Arrays> DatasetObject::Load(const std::string& split) const {
  FUSEBOX_ASSIGN_OR_RETURN(const std::vector<Split> splits, Splits());
  if (std::ranges::find(splits, split, &Split::name) == splits.end()) {
    std::vector<std::string> names;
    for (const Split& s : splits) names.push_back(s.name);
    return Refuse("{}: has no split '{}': {}", item_->who(), split, SuggestNames(split, names));
  }
  const FbArray* raw = nullptr;
  uint64_t count = 0;
  FUSEBOX_RETURN_IF_ERROR(CallHook(*item_, kNowhere, [&](const FbSink* sink) {
    count = item_->dataset.load(object_.get(), split.c_str(), &raw, sink);
  }));
  if (count == 0 || raw == nullptr) return Refuse("{}: split '{}' has no arrays", item_->who(), split);
  Arrays arrays;
  for (const FbArray& a : ReadArray(raw, count)) {
    if (a.name == nullptr || a.type == nullptr) return Refuse("{}: has an array without a name or type", item_->who());
    const std::optional<Type> type = FromAbi(ReadStruct(a.type));
    if (!type || type->rank() == 0 || std::ranges::any_of(type->shape, [](int64_t d) { return d < 0; }) ||
        !SymbolicProduct(type->shape) || (a.data == nullptr && NumElements(type->shape, 0) > 0))
      return Refuse("{}: array '{}' is of no known type, or has no data", item_->who(), a.name);
    if (!arrays.empty() && arrays[0].second.rows() != type->shape[0]) {
      return Refuse("{}: array '{}' has {} rows, but '{}' has {}", item_->who(), a.name, type->shape[0],
                    arrays[0].first, arrays[0].second.rows());
    }
    arrays.emplace_back(a.name, Tensor::Share(type->dtype, {type->shape.begin(), type->shape.end()}, a.data, object_));
  }
  return arrays;
}

absl::StatusOr<PluginItem> FindModel(const Registry& registry, std::string_view reference, std::string_view build_id) {
  std::string path(reference), name;
  if (const size_t colon = reference.rfind(".so:"); colon != reference.npos) {
    path = reference.substr(0, colon + 3);
    name = reference.substr(colon + 4);
  } else if (!reference.ends_with(".so")) {
    const auto it = std::ranges::find(registry.models(), reference, &Registry::ModelFile::id);
    if (it == registry.models().end()) {
      std::vector<std::string> known;
      for (const auto& model : registry.models()) known.push_back(model.id);
      return absl::NotFoundError(fmt::format("unknown model '{}': {}", reference, SuggestNames(reference, known)));
    }
    path = it->path;
  }
  FUSEBOX_ASSIGN_OR_RETURN(LoadedLibrary loaded, LoadLibrary(path));
  std::vector<std::string> known;
  const PluginItem* found = nullptr;
  for (const PluginItem& item : loaded.items) {
    if (item.kind != FB_MODEL) continue;
    known.push_back(std::string(item.name()));
    if (name.empty() || item.name() == name || item.id == name) found = &item;
  }
  if (known.empty()) return Refuse("{}: has no model: it is a library of other plugins", path);
  if (found == nullptr) return Refuse("{}: has no model '{}': {}", path, name, SuggestNames(name, known));
  if (name.empty() && known.size() > 1)
    return Refuse("{}: has several models, name one after ':': {}", path, SuggestNames("", known));
  if (build_id != found->model.build_id)
    return Refuse("{}: was built for libfusebox {}, this is {}: build it again", path, found->model.build_id, build_id);
  return *found;
}

absl::StatusOr<ModelBytes> BuildModel(const Registry& registry, std::string_view reference,
                                      const ItemAttributes& attributes, std::string_view build_id) {
  FUSEBOX_ASSIGN_OR_RETURN(const PluginItem item, FindModel(registry, reference, build_id));
  const absl::StatusOr<ItemAttributes> all = CheckAttributes(item, attributes);
  if (!all.ok()) return Refuse("{}: {}", item.who(), Message(all.status()));
  const AbiAttributes raw(item, *all);
  ModelBytes bytes;
  const Sink::Write to_config = [&](std::string_view text) { bytes.config += text; };
  const Sink::Write to_program = [&](std::string_view text) { bytes.program += text; };
  absl::Status status;
  FUSEBOX_RETURN_IF_ERROR(CallHook(item, to_config, [&](const FbSink* config) {
    status = CallHook(item, to_program,
                      [&](const FbSink* program) { item.model.build(raw.data(), raw.size(), config, program); });
  }));
  FUSEBOX_RETURN_IF_ERROR(status);
  if (bytes.config.empty()) return Refuse("{}: built no model", item.who());
  return bytes;
}

}  // namespace fusebox
