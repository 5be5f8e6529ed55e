// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/data/layer_variables.h"

#include <algorithm>
#include <utility>

namespace fusebox {

SharingGroup& SharingGroup::Root() {
  SharingGroup* root = this;
  while (root->parent_ != nullptr) root = root->parent_.get();
  return *root;
}

void SharingGroup::Fetch() {
  SharingGroup& root = Root();
  if (!root.fetch_) return;
  ++root.fetches_;
  std::exchange(root.fetch_, nullptr)();
}

void SharingGroup::Merge(const std::shared_ptr<SharingGroup>& a, const std::shared_ptr<SharingGroup>& b) {
  SharingGroup &to = a->Root(), &from = b->Root();
  if (&to == &from) return;
  to.Fetch();
  from.Fetch();
  // A version that no program of either group has seen, so that all packed copies count as stale.
  to.version_ = std::max(to.version_, from.version_) + 1;
  to.fetches_ += from.fetches_;
  std::shared_ptr<SharingGroup> root = a;
  while (root->parent_ != nullptr) root = root->parent_;
  from.parent_ = std::move(root);
}

}  // namespace fusebox
