// SPDX-License-Identifier: Apache-2.0
#include "fusebox/compiler/native/machine.h"

#include <cstdlib>
#include <map>
#include <mutex>
#include <vector>

#include "fmt/format.h"
#include "fusebox/compiler/native/cache_sizes.h"
#include "fusebox/compiler/native/object_compiler.h"
#include "fusebox/graph/status.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/MC/MCSubtargetInfo.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/TargetParser/Host.h"

namespace fusebox {
namespace {

namespace orc = llvm::orc;

// The CPU whose name is nearest in spelling.
std::string Nearest(llvm::StringRef name, const llvm::MCSubtargetInfo& machine) {
  llvm::StringRef nearest;
  unsigned least = unsigned(-1);
  for (const llvm::SubtargetSubTypeKV& cpu : machine.getAllProcessorDescriptions()) {
    const unsigned distance = name.edit_distance(cpu.Key);
    if (distance < least) least = distance, nearest = cpu.Key;
  }
  return nearest.str();
}

// Instructions for operating systems, which compiled programs do not contain. Virtual machines often hide them.
constexpr llvm::StringLiteral kPrivileged[] = {"clzero", "invpcid", "mwaitx", "pku", "rdpru", "shstk", "wbnoinvd"};

// Which features of `wanted` this machine lacks. Tuning flags are no features of a processor: LLVM does not detect
// them.
std::string WhyNotHere(const llvm::MCSubtargetInfo& wanted) {
  const llvm::Triple here(llvm::sys::getProcessTriple());
  const llvm::Triple& there = wanted.getTargetTriple();
  if (here.getArch() != there.getArch()) {
    return fmt::format("this machine is of {}", llvm::Triple::getArchTypeName(here.getArch()).str());
  }
  const auto detected = llvm::sys::getHostCPUFeatures();
  std::vector<std::string> missing;
  for (const llvm::SubtargetFeatureKV& feature : wanted.getAllProcessorFeatures()) {
    if (llvm::is_contained(kPrivileged, feature.Key)) continue;
    const auto it = detected.find(feature.Key);
    if (wanted.hasFeature(feature.Value) && it != detected.end() && !it->second) missing.emplace_back(feature.Key);
  }
  return missing.empty() ? "" : "this machine lacks " + llvm::join(missing, ", ");
}

Target Describe(const llvm::MCSubtargetInfo& machine, const CacheSizes& caches) {
  Target target;
  target.caches = caches;
  if (machine.getTargetTriple().isAArch64()) {
    target.registers = 32;
    target.fma = true;
    return target;
  }
  target.fma = machine.checkFeatures("+fma");
  if (machine.checkFeatures("+avx2")) target.vector_bytes = 32;
  if (machine.checkFeatures("+avx512f,+avx512vl,+avx512bw,+avx512dq,+evex512")) {
    target.vector_bytes = 64;
    target.registers = 32;
  }
  return target;
}

// "neoverse-n1" of this architecture, or "aarch64:neoverse-n1".
absl::StatusOr<orc::JITTargetMachineBuilder> BuilderFor(const std::string& name, const std::string& who) {
  llvm::Triple triple(llvm::sys::getProcessTriple());
  llvm::StringRef cpu = name;
  if (const size_t colon = cpu.find(':'); colon != llvm::StringRef::npos) {
    const llvm::StringRef arch = cpu.take_front(colon);
    cpu = cpu.drop_front(colon + 1);
    if (arch != "x86_64" && arch != "aarch64") {
      return Refuse("{}: expected the architecture x86_64 or aarch64, got '{}'", who, arch.str());
    }
    if (llvm::Triple(arch).getArch() != triple.getArch()) triple = llvm::Triple(arch, "unknown", "linux", "gnu");
  }
  std::string error;
  const llvm::Target* target = llvm::TargetRegistry::lookupTarget(triple.str(), error);
  if (target == nullptr) return Refuse("{}: {}", who, error);
  const std::string arch = triple.getArchName().str();
  const std::unique_ptr<llvm::MCSubtargetInfo> any(target->createMCSubtargetInfo(triple.str(), "", ""));
  // LLVM ends the process when asked for 64-bit code for a 32-bit CPU.
  const bool known = any->isCPUStringValid(cpu);
  const std::unique_ptr<llvm::MCSubtargetInfo> it(target->createMCSubtargetInfo(triple.str(), known ? cpu : "", ""));
  if (!known || (triple.getArch() == llvm::Triple::x86_64 && !it->checkFeatures("+64bit"))) {
    return Refuse("{}: expected 'native' or a CPU of {} that LLVM knows, such as '{}'", who, arch, Nearest(cpu, *any));
  }
  orc::JITTargetMachineBuilder builder(triple);
  builder.setCPU(cpu.str());
  return builder;
}

absl::StatusOr<orc::JITTargetMachineBuilder> DetectHost() {
  auto builder = orc::JITTargetMachineBuilder::detectHost();
  if (!builder) return absl::InternalError("jit: " + llvm::toString(builder.takeError()));
  return *std::move(builder);
}

absl::StatusOr<Machine> Make(const std::string& name, const std::string& who) {
  const bool native = name == "native";
  FUSEBOX_ASSIGN_OR_RETURN(orc::JITTargetMachineBuilder builder, native ? DetectHost() : BuilderFor(name, who));
  FUSEBOX_ASSIGN_OR_RETURN(ObjectCompiler compiler, ObjectCompiler::Create(std::move(builder)));
  const llvm::MCSubtargetInfo& subtarget = *compiler.machine().getMCSubtargetInfo();
  Machine machine{
      .target = {}, .name = compiler.Name(), .cannot_run = native ? "" : WhyNotHere(subtarget), .compiler = nullptr};
  const bool like_this = subtarget.getTargetTriple().getArch() == llvm::Triple(llvm::sys::getProcessTriple()).getArch();
  machine.target = Describe(subtarget, like_this ? HostCacheSizes() : CacheSizes());
  machine.compiler = std::make_shared<const ObjectCompiler>(std::move(compiler));
  return machine;
}

// An empty map of machines by name. Never destroyed, as programs may be compiled after static objects are.
std::map<std::string, const Machine>* NewMachines() {
  // All targets at once, as LLVM's list of them must not grow while another thread reads it.
  llvm::InitializeAllTargetInfos();
  llvm::InitializeAllTargets();
  llvm::InitializeAllTargetMCs();
  llvm::InitializeAllAsmPrinters();
  return new std::map<std::string, const Machine>;
}

}  // namespace

absl::StatusOr<const Machine*> FindMachine(const std::string& target_cpu, bool to_run) {
  std::string name = target_cpu, who = fmt::format("target cpu '{}'", target_cpu);
  if (name.empty()) {
    const char* of_environment = std::getenv("FUSEBOX_TARGET_CPU");
    name = of_environment == nullptr || *of_environment == '\0' ? "native" : of_environment;
    who = fmt::format("FUSEBOX_TARGET_CPU '{}'", name);
  }
  static std::mutex mutex;
  const std::scoped_lock lock(mutex);
  static auto* const machines = NewMachines();
  auto machine = machines->find(name);
  if (machine == machines->end()) {
    FUSEBOX_ASSIGN_OR_RETURN(Machine made, Make(name, who));
    machine = machines->emplace(name, std::move(made)).first;
  }
  if (to_run && !machine->second.cannot_run.empty()) return Refuse("{}: {}", who, machine->second.cannot_run);
  return &machine->second;
}

}  // namespace fusebox
