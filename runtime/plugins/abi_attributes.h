// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <vector>

#include "fusebox/runtime/describe/item_spec.h"
#include "fusebox/runtime/plugins/plugin_item.h"

namespace fusebox {

// An item's attributes in the form of the plugin ABI. `from` must outlive it, unchanged.
class AbiAttributes {
 public:
  AbiAttributes(const PluginItem& item, const ItemAttributes& from);
  const FbAttribute* data() const { return all_.data(); }
  uint32_t size() const { return uint32_t(all_.size()); }

 private:
  std::vector<FbAttribute> all_;
};

}  // namespace fusebox
