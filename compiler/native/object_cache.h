// SPDX-License-Identifier: Apache-2.0
// Compiled code on disk: a program that was compiled before starts at once, also in another process.
//
// An entry is one file, named by a hash of its key. It holds a checksum and the whole key, and both are compared: a
// file that is truncated, altered, or from another machine or version is a miss, and is replaced by newly compiled
// code. Nothing here is ever an error: without a cache, programs are compiled.
//
//     file   magic | checksum of what follows | key | object, object, ...      each with its length in front
//
// A new entry is written to a temporary file and renamed, so readers see whole entries only, and any number of
// processes may share a folder or delete from it. Entries are native code, so a folder is used only if it belongs to
// this user and no other user may write to it.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace fusebox {

class ObjectCache {
 public:
  // Opens the user's cache: $FUSEBOX_CACHE_DIR, else $XDG_CACHE_HOME/fusebox, else ~/.cache/fusebox. Makes the folder
  // if it is missing. None if FUSEBOX_CACHE_DIR is set to nothing, or the folder cannot be made or trusted.
  static std::optional<ObjectCache> Open();

  ObjectCache(ObjectCache&& other) noexcept;
  ObjectCache& operator=(ObjectCache&&) = delete;
  ~ObjectCache();

  std::optional<std::vector<std::string>> Load(const std::string& key) const;
  // Stores an entry. Now and then also trims the folder to its default bound.
  void Store(const std::string& key, const std::vector<std::string>& objects) const;
  // Deletes entries, the least recently used first, until the rest takes at most `bytes` bytes. Leaves files alone
  // that are not the cache's.
  void Trim(int64_t bytes) const;

  // The name of the key's file in the folder.
  static std::string FileName(const std::string& key);

 private:
  explicit ObjectCache(int folder) : folder_(folder) {}
  int folder_;  // A descriptor, so that checks and files mean the same folder even if it is renamed.
};

}  // namespace fusebox
