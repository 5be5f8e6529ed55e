// SPDX-License-Identifier: Apache-2.0
// Compiled programs that are shared by all models of the process. A model that is compiled again with another learning
// rate, a second model of the same layers, or the next trial of a search finds its native code here; a cold compilation
// takes some hundred milliseconds, and the cache on disk still has to run all passes and to link.
#pragma once
#include <cstddef>
#include <cstdint>
#include <future>
#include <list>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "absl/status/statusor.h"
#include "fusebox/compiler/compiler.h"

namespace fusebox {

// Thread-safe. Keeps the programs used last, within a bound on their number and on the size of their keys; programs
// that are dropped live on as long as a BoundProgram uses them.
class ProgramCache {
 public:
  struct Bounds {
    size_t programs = 64;
    size_t key_bytes = size_t{16} << 20;  // A key is about as long as the program's text form.
  };
  struct Statistics {
    int64_t compiled = 0;  // Compilations, those that failed and those of programs without a key included.
    int64_t shared = 0;    // Requests that were answered by the result of another one.
    size_t programs = 0;   // In the cache now.
  };

  explicit ProgramCache(Bounds bounds) : bounds_(bounds) {}
  ProgramCache(const ProgramCache&) = delete;
  ProgramCache& operator=(const ProgramCache&) = delete;

  // The process's.
  static ProgramCache& Global();

  // What Compile gives, of a program with the same ProgramKey if there was one. Threads that ask for one program at the
  // same time wait for a single compilation; those that ask for different programs compile side by side. Errors are
  // Compile's and are not kept.
  absl::StatusOr<Executable> Get(const Graph& program, const CompileOptions& options);

  Statistics statistics() const;
  // Forgets all programs.
  void Clear();

 private:
  using Result = std::shared_future<absl::StatusOr<Executable>>;
  struct Entry {
    std::string key;
    int64_t id;  // Of the compilation: an entry may be dropped and made anew while it is at work.
    Result result;
  };
  class Compilation;

  void Drop(std::list<Entry>::iterator entry);
  void DropBeyondBounds();

  const Bounds bounds_;
  mutable std::mutex mutex_;                                                 // Never held while a program is compiled.
  std::list<Entry> entries_;                                                 // The one used last comes first.
  std::unordered_map<std::string_view, std::list<Entry>::iterator> by_key_;  // Views of the entries' keys.
  size_t key_bytes_ = 0;
  Statistics statistics_;
  int64_t last_id_ = 0;
};

}  // namespace fusebox
