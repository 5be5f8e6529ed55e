// SPDX-License-Identifier: Apache-2.0
// Compiled code on disk: a program that was compiled before starts at once, also in another process.
//
// An entry is one file, named by a hash of its key. Inside stand a checksum and the whole key, and both are compared:
// what is cut short, altered, or of another machine or version is a miss, and is replaced by what is compiled instead.
// Nothing here is ever an error: without a cache programs are compiled, that is all.
//
//     file   magic | checksum of what follows | key | object, object, ...      each with its length in front
//
// A new entry is written to a file of its own and renamed, so readers see whole entries only, and any number of
// processes may share a folder or delete from it. Entries are native code: a folder is used only if it is ours and
// nobody else may write to it.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace fusebox {

class ObjectCache {
 public:
  // The user's: $FUSEBOX_CACHE_DIR, else $XDG_CACHE_HOME/fusebox, else ~/.cache/fusebox, made if it is missing. None if
  // FUSEBOX_CACHE_DIR is set to nothing, or there is no such folder that can be trusted.
  static std::optional<ObjectCache> Open();

  ObjectCache(ObjectCache&& other) noexcept;
  ObjectCache& operator=(ObjectCache&&) = delete;
  ~ObjectCache();

  std::optional<std::vector<std::string>> Load(const std::string& key) const;
  // Now and then also trims the folder to its default bound.
  void Store(const std::string& key, const std::vector<std::string>& objects) const;
  // Deletes entries, those not used for longest first, until the rest takes at most this much. Files that are not the
  // cache's are left alone.
  void Trim(int64_t bytes) const;

  // The name of the key's file in the folder.
  static std::string FileName(const std::string& key);

 private:
  explicit ObjectCache(int folder) : folder_(folder) {}
  int folder_;  // A descriptor: checks and files mean the same folder, whatever becomes of its name.
};

}  // namespace fusebox
