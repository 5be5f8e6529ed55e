// SPDX-License-Identifier: Apache-2.0
// Expansion: what an item (a layer, a loss, an optimizer, ...) writes into a graph for given inputs, its symbols.
//
//                          +-- plugin_call.h     the item's plugin, through the plugin door
//     ExpandUse, by one of |-- item_function.h   a C++ function of the user's program
//                          +-- kept_symbols.h    the symbols that were kept with the model, where neither is there
//
// All of them write into a HostBuilder (host_builder.h).
//
// runtime/expand/ sees graph/, plugins/sdk/, and of runtime/ plugins/, describe/, data/ and files/. It does not know
// what programs the symbols are for.
#pragma once
#include <string>

#include "absl/status/statusor.h"
#include "fusebox/graph/value.h"
#include "fusebox/runtime/expand/host_builder.h"
#include "fusebox/runtime/expand/item_use.h"
#include "fusebox/runtime/expand/kept_symbols.h"

namespace fusebox {

// The item's full key ("fusebox/dense@1") and all attributes of its schema, checked: see Registry::Resolve. An item
// whose plugin is missing is taken as it is if it has an expansion in `embedded`.
absl::StatusOr<ItemSpec> ResolveItem(uint32_t kind, const ItemSpec& spec, const Expansions& embedded);

// The item's symbols for these inputs; nodes and states get the scope `name` inside the one at work. `use.item` has to
// be resolved. Scalars of the item get its attributes' numbers as their initializers.
// HostBuilder::masks are those of the inputs. Error: masks, where the item's plugin is missing.
Value ExpandUse(HostBuilder& builder, const ItemUse& use, const Values& inputs, const std::string& name,
                const Expansions& embedded);

}  // namespace fusebox
