// SPDX-License-Identifier: Apache-2.0
#include "fusebox/compiler/native/jit_symbols.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <string>
#include <string_view>

#include "fmt/format.h"
#include "llvm/ExecutionEngine/JITLink/JITLink.h"
#include "llvm/ExecutionEngine/Orc/DebugObjectManagerPlugin.h"
#include "llvm/ExecutionEngine/Orc/EPCDebugObjectRegistrar.h"
#include "llvm/ExecutionEngine/Orc/ObjectLinkingLayer.h"
#include "llvm/ExecutionEngine/Orc/TargetProcess/JITLoaderGDB.h"

namespace fusebox {
namespace {

namespace orc = llvm::orc;
namespace jitlink = llvm::jitlink;

bool IsOn(const char* variable) {
  const char* value = std::getenv(variable);
  return value != nullptr && *value != 0 && std::string_view(value) != "0";
}

// One write, so that lines from several threads or programs stay whole. A failure is ignored: without names a profiler
// shows addresses, and the program should not fail for that. Does not follow a symbolic link, which another user may
// have put there.
void AppendToPerfMap(const std::string& lines) {
  const std::string path = fmt::format("/tmp/perf-{}.map", getpid());
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (file < 0) return;
  [[maybe_unused]] const auto written = write(file, lines.data(), lines.size());
  close(file);
}

class PerfMap final : public orc::ObjectLinkingLayer::Plugin {
 public:
  void modifyPassConfig(orc::MaterializationResponsibility&, jitlink::LinkGraph&,
                        jitlink::PassConfiguration& passes) override {
    // At this point every function has its address, and unused functions are gone.
    passes.PostFixupPasses.emplace_back([](jitlink::LinkGraph& graph) {
      std::string lines;
      for (const jitlink::Symbol* symbol : graph.defined_symbols()) {
        if (!symbol->isCallable() || !symbol->hasName()) continue;
        const llvm::StringRef name = symbol->getName();
        lines += fmt::format("{:x} {:x} {}\n", symbol->getAddress().getValue(), symbol->getSize(),
                             std::string_view(name.data(), name.size()));
      }
      if (!lines.empty()) AppendToPerfMap(lines);
      return llvm::Error::success();
    });
  }
  llvm::Error notifyFailed(orc::MaterializationResponsibility&) override { return llvm::Error::success(); }
  // The format of perf maps cannot say that an address is free again; later lines win.
  llvm::Error notifyRemovingResources(orc::JITDylib&, orc::ResourceKey) override { return llvm::Error::success(); }
  void notifyTransferringResources(orc::JITDylib&, orc::ResourceKey, orc::ResourceKey) override {}
};

}  // namespace

llvm::Error ShowSymbols(orc::LLJIT& jit) {
  const bool perf = IsOn("FUSEBOX_PERF_MAP"), gdb = IsOn("FUSEBOX_GDB");
  if (!perf && !gdb) return llvm::Error::success();
  auto* const layer = llvm::dyn_cast<orc::ObjectLinkingLayer>(&jit.getObjLinkingLayer());
  if (layer == nullptr) {
    return llvm::createStringError("FUSEBOX_PERF_MAP and FUSEBOX_GDB need LLVM's JITLink, which it does not use here");
  }
  if (perf) layer->addPlugin(std::make_shared<PerfMap>());
  if (gdb) {
    orc::ExecutionSession& session = jit.getExecutionSession();
    auto registrar = std::make_unique<orc::EPCDebugObjectRegistrar>(
        session, orc::ExecutorAddr::fromPtr(&llvm_orc_registerJITLoaderGDBAllocAction));
    // Objects have names, and no line numbers.
    layer->addPlugin(std::make_shared<orc::DebugObjectManagerPlugin>(session, std::move(registrar),
                                                                     /*RequireDebugSections=*/false,
                                                                     /*AutoRegisterCode=*/true));
  }
  return llvm::Error::success();
}

}  // namespace fusebox
