// SPDX-License-Identifier: Apache-2.0
// Compiled code on disk: damaged, foreign or obstructing files make programs compile anew, with the same results.
#include "fusebox/compiler/native/object_cache.h"

#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>
#include <thread>

#include "fusebox/graph/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/compiler/run_jit.h"
#include "tests/support/random_graph.h"
#include "tests/support/status.h"
#include "tests/support/text.h"

namespace fusebox::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::Each;
using ::testing::IsEmpty;
using ::testing::Optional;
using ::testing::SizeIs;

using Objects = std::vector<std::string>;

constexpr const char* kProgram = R"(
    %x = input                    : f32[N,5]
    %w = state {kind = "weight"}  : f32[5,3]
    %0 = matmul %x, %w            : f32[N,3]
    %1 = tanh %0                  : f32[N,3]
    %2 = multiply %w, 0.5         : f32[5,3]
    update %w = %2
    return y = %1)";

std::string Read(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}
void Write(const fs::path& path, std::string_view bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

// A folder of the test's own, and an environment that names it.
class ObjectCacheTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string folder = (fs::path(::testing::TempDir()) / "fusebox_cache_XXXXXX").string();
    ASSERT_NE(mkdtemp(folder.data()), nullptr);
    folder_ = folder;
    for (const char* name : {"FUSEBOX_CACHE_DIR", "XDG_CACHE_HOME", "HOME"}) {
      const char* value = std::getenv(name);
      before_.emplace_back(name, value != nullptr ? std::optional<std::string>(value) : std::nullopt);
    }
    setenv("FUSEBOX_CACHE_DIR", folder.c_str(), 1);
  }
  void TearDown() override {
    for (const auto& [name, value] : before_) {
      value ? setenv(name.c_str(), value->c_str(), 1) : unsetenv(name.c_str());
    }
    chmod(folder_.c_str(), 0700);
    fs::remove_all(folder_);
  }

  std::vector<fs::path> Files() const { return {fs::directory_iterator(folder_), {}}; }

  fs::path folder_;

 private:
  std::vector<std::pair<std::string, std::optional<std::string>>> before_;
};

struct Outcome {
  bool hit;
  std::string bytes;  // Of all results.
};

// Compiles and runs one step.
absl::StatusOr<Outcome> RunProgram(const Graph& graph, const std::string& target_cpu = "") {
  const Bindings bindings = RandomBindings(graph, 4, 7);
  FUSEBOX_ASSIGN_OR_RETURN(const Executable program, Compile(graph, {.row_capacity = 4, .target_cpu = target_cpu}));
  FUSEBOX_ASSIGN_OR_RETURN(const Evaluation result, RunStep(program, bindings, 1));
  Outcome outcome{program.report().cache_hit, {}};
  for (const auto* values : {&result.outputs, &result.states}) {
    for (const auto& [name, value] : *values) {
      outcome.bytes.append(reinterpret_cast<const char*>(value.bytes().data()), value.bytes().size());
    }
  }
  return outcome;
}

void ExpectRun(const Graph& graph, bool hit, const std::string& bytes, const std::string& what) {
  ASSERT_OK_AND_ASSIGN(const Outcome outcome, RunProgram(graph));
  EXPECT_EQ(outcome.hit, hit) << what;
  EXPECT_EQ(outcome.bytes, bytes) << what;
}

// ---- Stored code is found again, and nothing else is.

TEST_F(ObjectCacheTest, FindsWhatWasStored) {
  const auto cache = ObjectCache::Open();
  ASSERT_TRUE(cache);
  EXPECT_EQ(cache->Load("key"), std::nullopt);
  cache->Store("key", {"one", "", std::string("t\0o", 3)});
  cache->Store("other key", {});
  EXPECT_THAT(cache->Load("key"), Optional(Objects{"one", "", std::string("t\0o", 3)}));
  EXPECT_THAT(cache->Load("other key"), Optional(IsEmpty()));
  EXPECT_EQ(cache->Load("ke"), std::nullopt);
  cache->Store("key", {"replaced"});
  EXPECT_THAT(cache->Load("key"), Optional(Objects{"replaced"}));
  EXPECT_THAT(Files(), SizeIs(2));
}

TEST_F(ObjectCacheTest, APipeOrAFolderInAnEntrysPlaceIsAMiss) {
  const auto cache = ObjectCache::Open();
  ASSERT_TRUE(cache);
  ASSERT_EQ(mkfifo((folder_ / ObjectCache::FileName("pipe")).c_str(), 0600), 0);
  fs::create_directory(folder_ / ObjectCache::FileName("folder"));
  fs::create_symlink("/dev/zero", folder_ / ObjectCache::FileName("link"));
  for (const char* key : {"pipe", "folder", "link"}) {
    EXPECT_EQ(cache->Load(key), std::nullopt) << key;
    cache->Store(key, {"x"});
  }
  EXPECT_THAT(cache->Load("pipe"), Optional(Objects{"x"}));
  EXPECT_EQ(cache->Load("folder"), std::nullopt);
  EXPECT_THAT(cache->Load("link"), Optional(Objects{"x"}));
  EXPECT_THAT(Files(), SizeIs(3)) << "a temporary file was left behind";
}

TEST_F(ObjectCacheTest, TrimDeletesWhatWasNotUsedForLongest) {
  const auto cache = ObjectCache::Open();
  ASSERT_TRUE(cache);
  const auto age = [&](const std::string& key, int hours) {
    fs::last_write_time(folder_ / key, fs::file_time_type::clock::now() - std::chrono::hours(hours));
  };
  const std::string keys[] = {"a", "b", "c", "d"};
  for (int i = 0; i < 4; ++i) {
    cache->Store(keys[i], {std::string(1000, 'x')});
    age(ObjectCache::FileName(keys[i]), 4 - i);
  }
  EXPECT_TRUE(cache->Load("a"));  // Now the newest.
  Write(folder_ / "mine.txt", std::string(5000, 'x'));
  Write(folder_ / "tmp.1.2", "");
  Write(folder_ / "tmp.3.4", "");
  age("tmp.1.2", 5);
  cache->Trim(2500);
  EXPECT_TRUE(cache->Load("a"));
  EXPECT_FALSE(cache->Load("b"));
  EXPECT_FALSE(cache->Load("c"));
  EXPECT_TRUE(cache->Load("d"));
  EXPECT_TRUE(fs::exists(folder_ / "mine.txt"));
  EXPECT_FALSE(fs::exists(folder_ / "tmp.1.2")) << "its writer is gone";
  EXPECT_TRUE(fs::exists(folder_ / "tmp.3.4")) << "its writer may be at work";
}

// ---- Damage.

TEST_F(ObjectCacheTest, AFlippedByteIsAMiss) {
  const auto cache = ObjectCache::Open();
  ASSERT_TRUE(cache);
  cache->Store("key", {std::string(1000, 'o'), "second"});
  const fs::path file = folder_ / ObjectCache::FileName("key");
  const std::string good = Read(file);
  for (size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = char(bad[i] ^ (1 << (i % 8)));
    Write(file, bad);
    EXPECT_EQ(cache->Load("key"), std::nullopt) << "byte " << i;
  }
  for (size_t size = 0; size < good.size(); size += 7) {
    Write(file, good.substr(0, size));
    EXPECT_EQ(cache->Load("key"), std::nullopt) << "cut to " << size;
  }
  Write(file, good + "x");
  EXPECT_EQ(cache->Load("key"), std::nullopt);
  Write(file, std::string(good.size(), '\0'));
  EXPECT_EQ(cache->Load("key"), std::nullopt);
  Write(file, good);
  EXPECT_TRUE(cache->Load("key"));
}

TEST_F(ObjectCacheTest, AProgramIsCompiledOnceAndComputesTheSame) {
  const Graph graph = ParseGraph(kProgram);
  setenv("FUSEBOX_CACHE_DIR", "", 1);
  ASSERT_OK_AND_ASSIGN(const Outcome plain, RunProgram(graph));
  EXPECT_FALSE(plain.hit);
  setenv("FUSEBOX_CACHE_DIR", folder_.c_str(), 1);
  ExpectRun(graph, false, plain.bytes, "the first time");
  EXPECT_THAT(Files(), SizeIs(1));
  ExpectRun(graph, true, plain.bytes, "the second time");
}

TEST_F(ObjectCacheTest, EachTargetHasItsOwnEntry) {
  // Uses neither vectors nor fused multiply-adds: the IR is the same for all x86-64.
  const Graph graph = ParseGraph("%x = input : i32[]\n%0 = add %x, %x : i32[]\nreturn y = %0");
  const size_t targets = RunnableTargets().size();
  for (const bool hit : {false, true}) {
    for (const std::string& target : RunnableTargets()) {
      ASSERT_OK_AND_ASSIGN(const Outcome outcome, RunProgram(graph, target));
      EXPECT_EQ(outcome.hit, hit) << target;
    }
  }
  EXPECT_THAT(Files(), SizeIs(targets));
  // Code that is not run is not kept.
  ASSERT_OK(Compile(graph, {.row_capacity = 5, .target_cpu = "aarch64:generic", .link = false}));
  EXPECT_THAT(Files(), SizeIs(targets));
}

TEST_F(ObjectCacheTest, ThreadsCompileAtOnce) {
  constexpr int kThreads = 4, kPrograms = 6;
  const auto program = [](int i) {
    return ParseGraph(fmt::format("%x = input : f32[N]\n%0 = multiply %x, {} : f32[N]\nreturn y = %0", i + 2));
  };
  std::vector<std::string> alone, together(kThreads * kPrograms);
  setenv("FUSEBOX_CACHE_DIR", "", 1);
  for (int i = 0; i < kPrograms; ++i) {
    ASSERT_OK_AND_ASSIGN(const Outcome outcome, RunProgram(program(i)));
    alone.push_back(outcome.bytes);
  }
  setenv("FUSEBOX_CACHE_DIR", folder_.c_str(), 1);
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kPrograms; ++i) {
        const absl::StatusOr<Outcome> outcome = RunProgram(program((i + t) % kPrograms));
        if (outcome.ok()) together[size_t(t * kPrograms + (i + t) % kPrograms)] = outcome->bytes;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (size_t i = 0; i < together.size(); ++i) EXPECT_EQ(together[i], alone[i % kPrograms]) << i;
  EXPECT_THAT(Files(), SizeIs(kPrograms));
}

TEST_F(ObjectCacheTest, TwoProgramsLiveSideBySide) {
  const Graph graph = ParseGraph(kProgram);
  const Bindings bindings = RandomBindings(graph, 4, 7);
  ASSERT_OK_AND_ASSIGN(const Executable first, Compile(graph, {.row_capacity = 4}));
  ASSERT_OK_AND_ASSIGN(const Executable second, Compile(graph, {.row_capacity = 4}));
  ASSERT_OK(RunStep(first, bindings, 1).status());
  ASSERT_OK(RunStep(second, bindings, 1).status());
}

TEST_F(ObjectCacheTest, ADamagedEntryIsCompiledAnewAndReplaced) {
  const Graph graph = ParseGraph(kProgram);
  ASSERT_OK_AND_ASSIGN(const Outcome first, RunProgram(graph));
  ASSERT_THAT(Files(), SizeIs(1));
  const fs::path file = Files()[0];
  const std::string good = Read(file);
  const auto damage = [&](const std::string& bytes, const std::string& what) {
    Write(file, bytes);
    ExpectRun(graph, false, first.bytes, what);
    ExpectRun(graph, true, first.bytes, what + ", replaced");
  };
  for (size_t i = 0; i < good.size(); i += good.size() / 20) {
    std::string bad = good;
    bad[i] = char(~bad[i]);
    damage(bad, fmt::format("byte {}", i));
  }
  damage("", "empty");
  damage(good.substr(0, good.size() / 2), "half");
  damage(std::string(good.size(), '\0'), "zeros");
}

// Entries with a correct checksum that belong to another key.
TEST_F(ObjectCacheTest, AnEntryOfAnotherKeyIsNotUsed) {
  const Graph graph = ParseGraph(kProgram);
  ASSERT_OK_AND_ASSIGN(const Outcome first, RunProgram(graph));
  ASSERT_THAT(Files(), SizeIs(1));
  const fs::path file = Files()[0];
  const std::string bytes = Read(file);
  uint64_t size = 0;  // After magic and checksum.
  std::memcpy(&size, bytes.data() + 16, sizeof size);
  const std::string key = bytes.substr(24, size);
  const auto cache = ObjectCache::Open();
  ASSERT_TRUE(cache);
  const auto objects = cache->Load(key);
  ASSERT_TRUE(objects);
  for (const char* fact : {"fusebox ", "build ", "LLVM ", "passes ", "triple ", "CPU ", "features ", "program "}) {
    const size_t at = ("\n" + key).find("\n" + std::string(fact));
    ASSERT_NE(at, std::string::npos) << "the key lacks " << fact;
    std::string other = key;
    other.insert(at + std::strlen(fact), "x");
    // An object that cannot be linked.
    cache->Store(other, {"no object"});
    fs::rename(folder_ / ObjectCache::FileName(other), file);
    ExpectRun(graph, false, first.bytes, fact);
  }
  // Correct except that it is not code: the linker rejects it.
  cache->Store(key, {"no object"});
  ExpectRun(graph, false, first.bytes, "no object");
  cache->Store(key, {});
  ExpectRun(graph, false, first.bytes, "no objects");
  ExpectRun(graph, true, first.bytes, "replaced");
}

// ---- Folders.

TEST_F(ObjectCacheTest, TheFolderComesFromTheEnvironment) {
  const auto makes = [&](const fs::path& expected) {
    fs::remove_all(folder_ / "home");
    EXPECT_TRUE(ObjectCache::Open());
    EXPECT_TRUE(fs::is_directory(expected)) << expected;
  };
  setenv("HOME", (folder_ / "home").c_str(), 1);
  setenv("XDG_CACHE_HOME", (folder_ / "home/xdg").c_str(), 1);
  setenv("FUSEBOX_CACHE_DIR", (folder_ / "home/own//deep/").c_str(), 1);
  makes(folder_ / "home/own/deep");
  unsetenv("FUSEBOX_CACHE_DIR");
  makes(folder_ / "home/xdg/fusebox");
  setenv("XDG_CACHE_HOME", "not/absolute", 1);
  makes(folder_ / "home/.cache/fusebox");
  unsetenv("XDG_CACHE_HOME");
  makes(folder_ / "home/.cache/fusebox");
  setenv("FUSEBOX_CACHE_DIR", "", 1);
  EXPECT_FALSE(ObjectCache::Open()) << "switched off";
  unsetenv("FUSEBOX_CACHE_DIR");
  unsetenv("HOME");
  EXPECT_FALSE(ObjectCache::Open()) << "no home";
}

TEST_F(ObjectCacheTest, GoesOnWithoutAFolder) {
  const Graph graph = ParseGraph(kProgram);
  setenv("FUSEBOX_CACHE_DIR", "", 1);
  ASSERT_OK_AND_ASSIGN(const Outcome plain, RunProgram(graph));
  const auto uncached = [&](const fs::path& folder, const std::string& what) {
    setenv("FUSEBOX_CACHE_DIR", folder.c_str(), 1);
    ExpectRun(graph, false, plain.bytes, what);
    ExpectRun(graph, false, plain.bytes, what + ", again");
  };
  chmod(folder_.c_str(), 0770);
  uncached(folder_, "the group may write");
  chmod(folder_.c_str(), 0707);
  uncached(folder_, "everybody may write");
  chmod(folder_.c_str(), 0700);
  EXPECT_THAT(Files(), IsEmpty());
  uncached("/proc/self/fusebox", "cannot be made");
  Write(folder_ / "file", "");
  uncached(folder_ / "file", "a file");
  if (geteuid() != 0) {
    chmod(folder_.c_str(), 0500);
    uncached(folder_, "read-only");
  } else {
    const fs::path others = folder_ / "others";
    fs::create_directory(others);
    ASSERT_EQ(chown(others.c_str(), 12345, 12345), 0);
    uncached(others, "somebody else's");
  }
}

// Runs `work` in a process of its own. Returns whether it returned true.
bool InProcess(const std::function<bool()>& work) {
  const pid_t child = fork();
  if (child == 0) _exit(work() ? 0 : 1);
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

TEST_F(ObjectCacheTest, AFullDiskLeavesNothingBehind) {
  EXPECT_TRUE(InProcess([&] {
    signal(SIGXFSZ, SIG_IGN);
    const rlimit little = {1000, 1000};  // Limits of the size of a file.
    setrlimit(RLIMIT_FSIZE, &little);
    const absl::StatusOr<Outcome> first = RunProgram(ParseGraph(kProgram)), again = RunProgram(ParseGraph(kProgram));
    return first.ok() && again.ok() && !again->hit && first->bytes == again->bytes;
  }));
  EXPECT_THAT(Files(), IsEmpty());
}

// ---- Several processes at once.

TEST_F(ObjectCacheTest, ProcessesShareAFolderWithOneWhoDeletes) {
  constexpr int kProcesses = 6, kRounds = 25;
  std::vector<Graph> graphs;
  std::vector<std::string> expected;
  for (const char* factor : {"0.5", "0.25", "2"}) {
    std::string text = kProgram;
    text.replace(text.find("0.5"), 3, factor);
    graphs.push_back(ParseGraph(text));
    ASSERT_OK_AND_ASSIGN(const Outcome outcome, RunProgram(graphs.back()));
    expected.push_back(outcome.bytes);
  }
  std::vector<pid_t> children;
  for (int p = 0; p < kProcesses; ++p) {
    const pid_t child = fork();
    if (child == 0) {
      bool good = true;
      for (int round = 0; round < kRounds && good; ++round) {
        const size_t i = size_t(p + round) % graphs.size();
        const absl::StatusOr<Outcome> outcome = RunProgram(graphs[i]);
        good = outcome.ok() && outcome->bytes == expected[i];
      }
      _exit(good ? 0 : 1);
    }
    ASSERT_GT(child, 0);
    children.push_back(child);
  }
  std::minstd_rand random(1);
  int failures = 0;
  while (!children.empty()) {
    // Files come and go while the folder is listed.
    std::error_code ignored;
    for (fs::directory_iterator it(folder_, ignored), end; it != end; it.increment(ignored)) {
      if (random() % 2 == 0) fs::remove(it->path(), ignored);
    }
    std::erase_if(children, [&](pid_t child) {
      int status = 0;
      if (waitpid(child, &status, WNOHANG) == 0) return false;
      failures += WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : 1;
      return true;
    });
    usleep(2000);
  }
  EXPECT_EQ(failures, 0);
}

}  // namespace
}  // namespace fusebox::testing
