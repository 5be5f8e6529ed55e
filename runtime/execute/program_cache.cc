// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/execute/program_cache.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

#include "fusebox/compiler/program_key.h"

namespace fusebox {

// A compilation whose entry others may wait for. The entry goes unless the compilation succeeds, so that neither an
// error nor an exception (no memory) is kept.
class ProgramCache::Compilation {
 public:
  // The lock is held.
  Compilation(ProgramCache& cache, std::string key) : cache_(cache), id_(++cache.last_id_) {
    cache.entries_.push_front({std::move(key), id_, promise_.get_future().share()});
    cache.by_key_.emplace(cache.entries_.front().key, cache.entries_.begin());
    cache.key_bytes_ += cache.entries_.front().key.size();
    cache.DropBeyondBounds();
  }
  Compilation(const Compilation&) = delete;
  Compilation& operator=(const Compilation&) = delete;
  ~Compilation() {
    if (succeeded_) return;
    const std::scoped_lock lock(cache_.mutex_);
    const auto entry = std::ranges::find(cache_.entries_, id_, &Entry::id);
    if (entry != cache_.entries_.end()) cache_.Drop(entry);
  }

  absl::StatusOr<Executable> Run(const Graph& program, const CompileOptions& options) {
    absl::StatusOr<Executable> made = fusebox::Compile(program, options);
    succeeded_ = made.ok();
    promise_.set_value(made);
    return made;
  }

 private:
  ProgramCache& cache_;
  const int64_t id_;
  std::promise<absl::StatusOr<Executable>> promise_;
  bool succeeded_ = false;
};

ProgramCache& ProgramCache::Global() {
  // Never destroyed: models may be in any order of static destructors.
  static auto* const cache = new ProgramCache(Bounds{});
  return *cache;
}

absl::StatusOr<Executable> ProgramCache::Get(const Graph& program, const CompileOptions& options) {
  std::optional<std::string> key = ProgramKey(program, options);
  Result known;
  std::optional<Compilation> compilation;
  {
    const std::scoped_lock lock(mutex_);
    if (const auto found = key ? by_key_.find(*key) : by_key_.end(); found != by_key_.end()) {
      entries_.splice(entries_.begin(), entries_, found->second);
      ++statistics_.shared;
      known = found->second->result;
    } else {
      ++statistics_.compiled;
      if (key) compilation.emplace(*this, *std::move(key));
    }
  }
  if (known.valid()) return known.get();
  return compilation ? compilation->Run(program, options) : Compile(program, options);
}

ProgramCache::Statistics ProgramCache::statistics() const {
  const std::scoped_lock lock(mutex_);
  Statistics now = statistics_;
  now.programs = entries_.size();
  return now;
}

void ProgramCache::Clear() {
  const std::scoped_lock lock(mutex_);
  by_key_.clear();
  entries_.clear();
  key_bytes_ = 0;
}

void ProgramCache::Drop(std::list<Entry>::iterator entry) {
  by_key_.erase(entry->key);
  key_bytes_ -= entry->key.size();
  entries_.erase(entry);
}

void ProgramCache::DropBeyondBounds() {
  while (!entries_.empty() && (entries_.size() > bounds_.programs || key_bytes_ > bounds_.key_bytes)) {
    Drop(std::prev(entries_.end()));
  }
}

}  // namespace fusebox
