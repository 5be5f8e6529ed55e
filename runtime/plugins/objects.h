// SPDX-License-Identifier: Apache-2.0
// Items that the host calls, as objects: callbacks, data sets, and the libraries of models.
#pragma once
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fusebox/runtime/data/tensor.h"
#include "fusebox/runtime/plugins/registry.h"

namespace fusebox {

// An event of a run, for callbacks. See FbEvent for the fields.
struct CallbackEvent {
  uint32_t kind = 0;  // FB_TRAIN_BEGIN, ...
  int64_t epoch = 0, epochs = 0, step = 0, steps = 0;
  double seconds = 0;
  std::vector<std::pair<std::string, double>> logs = {};
  bool terminal = false, colour = false;  // Whether stderr is one, and takes colours.
  int64_t columns = 80;
  bool stop = false;  // Set if a callback wants the training to end after this step.
};

// Movable, not copyable. Errors name the callback and its plugin.
class CallbackObject {
 public:
  static absl::StatusOr<CallbackObject> Create(const Registry& registry, const ItemSpec& spec);

  const ItemSpec& spec() const { return spec_; }  // Resolved.
  // Whether the callback handles events of this kind; OnEvent ignores others.
  bool Wants(uint32_t event_kind) const { return (item_->callback.events >> event_kind & 1) != 0; }
  // What it writes goes to `write`, or to stderr.
  absl::Status OnEvent(CallbackEvent& event, const std::function<void(std::string_view)>& write = nullptr);

  // Bytes for a checkpoint; of fusebox/history: its logs as CSV.
  absl::StatusOr<std::string> SaveState() const;
  absl::Status LoadState(std::string_view state);

 private:
  CallbackObject(const PluginItem& item, ItemSpec spec, std::shared_ptr<void> object)
      : item_(&item), spec_(std::move(spec)), object_(std::move(object)) {}

  const PluginItem* item_;
  ItemSpec spec_;
  std::shared_ptr<void> object_;
};

class DatasetObject {
 public:
  struct Split {
    std::string name;
    int64_t rows;
  };
  using Arrays = std::vector<std::pair<std::string, Tensor>>;

  static absl::StatusOr<DatasetObject> Create(const Registry& registry, const ItemSpec& spec);

  absl::StatusOr<std::vector<Split>> Splits() const;
  // The arrays of a split ("x" and "y", or names of inputs and outputs), all of the same number of rows. They borrow
  // from the data set, and keep it alive. Error also: an unknown split, with those that there are.
  absl::StatusOr<Arrays> Load(const std::string& split) const;

 private:
  DatasetObject(const PluginItem& item, std::shared_ptr<void> object) : item_(&item), object_(std::move(object)) {}

  const PluginItem* item_;
  std::shared_ptr<void> object_;
};

// What a model's library provides: its configuration (JSON) and, if the model is compiled, its training program (.fbg).
struct ModelBytes {
  std::string config, program;
};

// The libraries of models are loaded when they are asked for. A reference is "path/file.so", "path/file.so:name" (the
// name of one of the models in it) or the id of one in the registry's folders, "fashion_mnist_mlp".
// build_id is this libfusebox's: a library made for another one is refused.
absl::StatusOr<ModelBytes> BuildModel(const Registry& registry, std::string_view reference,
                                      const ItemAttributes& attributes, std::string_view build_id);
// The model alone, to see its attributes.
absl::StatusOr<PluginItem> FindModel(const Registry& registry, std::string_view reference, std::string_view build_id);

}  // namespace fusebox
