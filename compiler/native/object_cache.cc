// SPDX-License-Identifier: Apache-2.0
#include "fusebox/compiler/native/object_cache.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string_view>
#include <utility>

#include "fmt/format.h"
#include "llvm/Support/xxhash.h"

namespace fusebox {
namespace {

constexpr std::string_view kMagic = "fusebox\1";
constexpr std::string_view kSuffix = ".fbo", kTemporary = "tmp.";
constexpr int64_t kBound = int64_t{256} << 20;  // Bytes in the folder.
constexpr int64_t kLargest = kBound / 4;        // Bytes of an entry: a larger one would evict all others.
constexpr uint64_t kStoresATrim = 32;           // On average. A trim lists the folder; a store does not.
constexpr time_t kAbandoned = 3600;             // Seconds, after which the writer of a temporary file must be gone.

// A file descriptor that closes itself.
class File {
 public:
  explicit File(int fd) : fd_(fd) {}
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() {
    if (fd_ >= 0) close(fd_);
  }
  bool ok() const { return fd_ >= 0; }
  int fd() const { return fd_; }
  int Release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

std::string FolderName() {
  if (const char* own = std::getenv("FUSEBOX_CACHE_DIR")) return own;
  // The XDG base directory specification says to ignore a path that is not absolute.
  const char* caches = std::getenv("XDG_CACHE_HOME");
  if (caches != nullptr && *caches == '/') return std::string(caches) + "/fusebox";
  const char* home = std::getenv("HOME");
  return home != nullptr && *home == '/' ? std::string(home) + "/.cache/fusebox" : "";
}

void MakeFolders(const std::filesystem::path& path) {
  std::filesystem::path part;
  for (const auto& name : path) {
    part /= name;
    mkdir(part.c_str(), 0700);  // Fails if it exists already.
  }
}

uint64_t Random() {
  uint64_t number = 0;
  if (getrandom(&number, sizeof number, GRND_NONBLOCK) == ssize_t(sizeof number)) return number;
  const auto now = uint64_t(std::chrono::steady_clock::now().time_since_epoch().count());
  return now * 0x9E3779B97F4A7C15 + uint64_t(getpid());
}

uint64_t Checksum(std::string_view bytes) { return llvm::xxh3_64bits(llvm::StringRef(bytes.data(), bytes.size())); }

// ---- Numbers and pieces, one after the other.

void Append(std::string& to, uint64_t number) { to.append(reinterpret_cast<const char*>(&number), sizeof number); }
void Append(std::string& to, std::string_view piece) {
  Append(to, uint64_t(piece.size()));
  to += piece;
}

std::optional<uint64_t> TakeNumber(std::string_view& from) {
  uint64_t number = 0;
  if (from.size() < sizeof number) return std::nullopt;
  std::memcpy(&number, from.data(), sizeof number);
  from.remove_prefix(sizeof number);
  return number;
}
std::optional<std::string_view> TakePiece(std::string_view& from) {
  const std::optional<uint64_t> size = TakeNumber(from);
  if (!size || from.size() < *size) return std::nullopt;
  const std::string_view piece = from.substr(0, *size);
  from.remove_prefix(*size);
  return piece;
}

std::string Encode(const std::string& key, const std::vector<std::string>& objects) {
  std::string body;
  Append(body, std::string_view(key));
  for (const std::string& object : objects) Append(body, std::string_view(object));
  std::string file(kMagic);
  Append(file, Checksum(body));
  return file + body;
}

std::optional<std::vector<std::string>> Decode(std::string_view file, const std::string& key) {
  if (!file.starts_with(kMagic)) return std::nullopt;
  file.remove_prefix(kMagic.size());
  const std::optional<uint64_t> checksum = TakeNumber(file);
  if (!checksum || *checksum != Checksum(file) || TakePiece(file) != key) return std::nullopt;
  std::vector<std::string> objects;
  while (!file.empty()) {
    const std::optional<std::string_view> object = TakePiece(file);
    if (!object) return std::nullopt;
    objects.emplace_back(*object);
  }
  return objects;
}

std::optional<std::string> ReadAll(int fd) {
  struct stat about = {};
  if (fstat(fd, &about) != 0 || !S_ISREG(about.st_mode) || about.st_size > kLargest) return std::nullopt;
  std::string bytes(size_t(about.st_size), '\0');
  for (size_t done = 0; done < bytes.size();) {
    const ssize_t count = read(fd, bytes.data() + done, bytes.size() - done);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return std::nullopt;
    done += size_t(count);
  }
  return bytes;
}

bool WriteAll(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = write(fd, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    bytes.remove_prefix(size_t(count));
  }
  return true;
}

}  // namespace

std::optional<ObjectCache> ObjectCache::Open() {
  const std::string name = FolderName();
  if (name.empty()) return std::nullopt;
  constexpr int kFlags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
  int fd = open(name.c_str(), kFlags);
  if (fd < 0) {
    MakeFolders(name);
    fd = open(name.c_str(), kFlags);
  }
  File folder(fd);
  struct stat about = {};
  if (!folder.ok() || fstat(folder.fd(), &about) != 0) return std::nullopt;
  if (about.st_uid != geteuid() || (about.st_mode & (S_IWGRP | S_IWOTH)) != 0) return std::nullopt;
  return ObjectCache(folder.Release());
}

ObjectCache::ObjectCache(ObjectCache&& other) noexcept : folder_(std::exchange(other.folder_, -1)) {}
ObjectCache::~ObjectCache() {
  if (folder_ >= 0) close(folder_);
}

std::string ObjectCache::FileName(const std::string& key) {
  const llvm::ArrayRef<uint8_t> bytes(reinterpret_cast<const uint8_t*>(key.data()), key.size());
  const llvm::XXH128_hash_t hash = llvm::xxh3_128bits(bytes);
  return fmt::format("{:016x}{:016x}{}", hash.high64, hash.low64, kSuffix);
}

std::optional<std::vector<std::string>> ObjectCache::Load(const std::string& key) const {
  // O_NONBLOCK: do not wait if a pipe lies in the file's place.
  const File file(openat(folder_, FileName(key).c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!file.ok()) return std::nullopt;
  const std::optional<std::string> bytes = ReadAll(file.fd());
  if (!bytes) return std::nullopt;
  std::optional<std::vector<std::string>> objects = Decode(*bytes, key);
  if (objects) futimens(file.fd(), nullptr);  // Marks it as used, so that Trim deletes it last.
  return objects;
}

void ObjectCache::Store(const std::string& key, const std::vector<std::string>& objects) const {
  const std::string bytes = Encode(key, objects);
  if (int64_t(bytes.size()) > kLargest) return;
  const uint64_t number = Random();
  const std::string temporary = fmt::format("{}{}.{:016x}", kTemporary, getpid(), number);
  {
    const File file(openat(folder_, temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!file.ok()) return;
    if (!WriteAll(file.fd(), bytes)) {
      unlinkat(folder_, temporary.c_str(), 0);
      return;
    }
  }
  // No fsync: the checksum finds files that a crash has truncated.
  if (renameat(folder_, temporary.c_str(), folder_, FileName(key).c_str()) != 0) {
    unlinkat(folder_, temporary.c_str(), 0);
  }
  if (number % kStoresATrim == 0) Trim(kBound);
}

void ObjectCache::Trim(int64_t bytes) const {
  struct Entry {
    std::string name;
    timespec used;
    int64_t size;
  };
  std::vector<Entry> entries;
  int64_t total = 0;
  // Opens the folder again, as a copy of the descriptor would share its position.
  DIR* const folder = fdopendir(openat(folder_, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder == nullptr) return;
  const time_t now = time(nullptr);
  while (const dirent* item = readdir(folder)) {
    const std::string name = item->d_name;
    const bool temporary = name.starts_with(kTemporary);
    struct stat about = {};
    if ((!temporary && !name.ends_with(kSuffix)) || fstatat(folder_, name.c_str(), &about, AT_SYMLINK_NOFOLLOW) != 0 ||
        !S_ISREG(about.st_mode)) {
      continue;
    }
    if (!temporary) {
      entries.push_back({name, about.st_mtim, about.st_size});
      total += about.st_size;
    } else if (about.st_mtim.tv_sec < now - kAbandoned) {
      unlinkat(folder_, name.c_str(), 0);
    }
  }
  closedir(folder);
  std::ranges::sort(entries, {}, [](const Entry& e) { return std::tuple(e.used.tv_sec, e.used.tv_nsec, e.name); });
  for (const Entry& entry : entries) {
    if (total <= bytes) return;
    if (unlinkat(folder_, entry.name.c_str(), 0) == 0) total -= entry.size;
  }
}

}  // namespace fusebox
