// SPDX-License-Identifier: Apache-2.0
// The plugins of a process, by key: (kind, "namespace/name@major").
//
//     --plugin-path  >  FUSEBOX_PLUGIN_PATH  >  ~/.local/lib/fusebox/plugins  >  <where libfusebox is>/fusebox/plugins
//
// Each of the first two is a list, with ':' between, of folders and of libraries. What is loaded first keeps its keys:
// a later library that brings one of them is refused as a whole, and nothing else happens. Model files never name a
// library. A plugin runs in this process and can do whatever this process can: load only what you trust.
//
// runtime/plugins/ loads plugin libraries, checks what they say of themselves and finds their items; it calls those
// items that the host calls (callbacks, data sets, models: objects.h). What layers, losses and the like write into
// graphs is runtime/expand/. Of runtime/ it sees data/ and describe/.
#pragma once
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "fusebox/runtime/describe/item_spec.h"
#include "fusebox/runtime/plugins/library.h"

namespace fusebox {

class Registry {
 public:
  Registry() = default;
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;

  // The one that models use: loads the search path when first called. Never changes after that, so threads share it.
  static const Registry& Default();
  // What Default() is to search first (the option --plugin-path), if it is called before it.
  static void SetPluginPath(std::string list);

  // Adds a library's items, all or none. A library that is loaded already, by whatever path, is no error and no change.
  absl::Status Load(const std::filesystem::path& path);
  // Adds the libraries (*.so) of a folder in the order of their names. One that is wrong is left out, see refused().
  // Libraries of models are only noted, see models().
  void LoadFolder(const std::filesystem::path& folder);
  // The whole search path, as above.
  void LoadSearchPath(std::string_view plugin_path);

  // The item that a name means: "dense", "acme/gated" or "acme/gated@1". A bare name is fusebox/name, else the only one
  // so named; without a major it is the highest. Error: with the nearest known names, or the two that it could be.
  absl::StatusOr<const PluginItem*> Find(uint32_t kind, std::string_view name) const;

  // The kind of the item that an attribute for items of `kind` names: an activation may be a layer ("prelu"), where no
  // activation has that name.
  uint32_t KindOfReference(uint32_t kind, std::string_view name) const;

  // The same item with its full key and all attributes of its schema: checked, converted (an int becomes a float where
  // one is needed, or a list of one), with defaults filled in; those that are optional are there only if they were
  // given. References are checked to name an item, and stay as they are.
  absl::StatusOr<ItemSpec> Resolve(uint32_t kind, const ItemSpec& spec) const;

  std::vector<const PluginItem*> items() const;  // In the order of (kind, id, major).
  const std::vector<std::shared_ptr<const PluginLibrary>>& libraries() const { return libraries_; }

  struct ModelFile {
    std::string id;  // The file's name without .so
    std::string path;
  };
  const std::vector<ModelFile>& models() const { return models_; }
  // The libraries that folders had and that could not be used, with the reason.
  const std::vector<std::string>& refused() const { return refused_; }

 private:
  using Key = std::tuple<uint32_t, std::string, uint32_t>;

  std::string WhyUnknown(uint32_t kind, std::string_view name) const;

  std::map<Key, PluginItem> items_;
  std::vector<std::shared_ptr<const PluginLibrary>> libraries_;
  std::set<std::string> files_;  // By device and inode.
  std::vector<ModelFile> models_;
  std::vector<std::string> refused_;
};

// The attributes of an item's schema, out of those given. Error: which one is unknown (with the nearest), missing, of
// another type or out of range. References are not looked at.
absl::StatusOr<ItemAttributes> CheckAttributes(const PluginItem& item, const ItemAttributes& given);

}  // namespace fusebox
