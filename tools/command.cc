// SPDX-License-Identifier: Apache-2.0
#include "tools/command.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdio>

#include "fusebox/graph/printable.h"
#include "fusebox/graph/warning.h"
#include "fusebox/runtime/data/out_of_memory.h"
#include "fusebox/runtime/files/signal_cleanup.h"
#include "fusebox/runtime/keras/keras_config.h"
#include "fusebox/runtime/plugins/nearest.h"
#include "fusebox/runtime/plugins/registry.h"

namespace fusebox::tools {

#define FUSEBOX_VERB(Verb) void Add##Verb(CLI::App& app, Action& action);
#include "tools/verbs.inc"
#undef FUSEBOX_VERB

namespace {

enum ExitCode { kDone = 0, kFailed = 1, kMisused = 2 };

// Prints the message on one line, even if it contains several.
int Fail(std::string message, int code) {
  std::ranges::replace(message, '\n', ' ');
  while (message.ends_with(' ')) message.pop_back();
  PrintError("fusebox: error: " + message);
  return code;
}

// The argument in the place of a verb, if it is not a known verb.
std::optional<std::string> UnknownVerb(const CLI::App& app, int argc, const char* const* argv) {
  std::vector<std::string> known;
  for (const CLI::App* verb : app.get_subcommands([](const CLI::App*) { return true; }))
    known.push_back(verb->get_name());
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word == "--plugin-path") {
      ++i;
    } else if (!word.starts_with("-")) {
      if (std::ranges::find(known, word) != known.end()) return std::nullopt;
      return fmt::format("unknown verb '{}': {}", word, SuggestNames(word, known));
    }
  }
  return std::nullopt;
}

// A mapped file that another program cuts short ends the process that reads it. Async-signal-safe.
extern "C" void HandleLostFile(int) {
  CleanUpOnSignal();
  constexpr std::string_view kMessage = "fusebox: error: a file became shorter while it was read\n";
  [[maybe_unused]] const auto written = write(STDERR_FILENO, kMessage.data(), kMessage.size());
  _exit(kFailed);
}

int Finish(const absl::Status& status) {
  const bool interrupted = absl::IsCancelled(status) && SignalArrived() != 0;
  if (!status.ok()) return Fail(Message(status), interrupted ? 128 + SignalArrived() : kFailed);
  if (std::fflush(stdout) == 0 && !std::ferror(stdout)) return kDone;
  // The reader has closed the pipe, as in `fusebox dump m.fbg | head`: there is no need to report an error.
  return errno == EPIPE ? kFailed : Fail("cannot write to stdout", kFailed);
}

}  // namespace

int RunCommand(int argc, const char* const* argv) {
  // Makes a closed pipe, and a file that grows beyond the limit of file sizes, a write error instead of a signal that
  // kills the process.
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
  std::signal(SIGBUS, HandleLostFile);
  StopOnSignals("fusebox: error: ");

  Action action;
  CLI::App app("Neural networks, compiled into one native function.", "fusebox");
  std::string plugin_path;
  app.add_option("--plugin-path", plugin_path, "Folders and plugin libraries to search first, separated by ':'");
  app.set_version_flag("--version", std::string("fusebox " FUSEBOX_VERSION));
  app.require_subcommand(1);
  app.fallthrough();
#define FUSEBOX_VERB(Verb) Add##Verb(app, action);
#include "tools/verbs.inc"
#undef FUSEBOX_VERB

  if (const auto message = UnknownVerb(app, argc, argv)) return Fail(*message, kMisused);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    if (e.get_exit_code() == 0) {  // --help, --version.
      app.exit(e);
      return Finish(absl::OkStatus());
    }
    return Fail(e.what(), kMisused);
  }
  if (!plugin_path.empty()) Registry::SetPluginPath(plugin_path);
  return Finish(WithoutBadAlloc(action));
}

CLI::Validator AtLeast(int64_t low) {
  return CLI::Validator(
      [low](std::string& text) -> std::string {
        int64_t number = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
        if (error == std::errc() && end == text.data() + text.size() && number >= low) return "";
        return fmt::format("expected a whole number of {} or more, got '{}'", low, text);
      },
      fmt::format("INT>={}", low), "");
}

CLI::Validator Fraction() {
  return CLI::Validator(
      [](std::string& text) -> std::string {
        double number = -1;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
        if (error == std::errc() && end == text.data() + text.size() && number > 0 && number < 1) return "";
        return fmt::format("expected a number between 0 and 1, got '{}'", text);
      },
      "FRACTION", "");
}

void AddTargetCpu(CLI::App* verb, std::string& target_cpu) {
  verb->add_option("--target-cpu", target_cpu,
                   "CPU to generate code for, in LLVM's terms (x86-64-v3, aarch64:neoverse-n1); default: "
                   "FUSEBOX_TARGET_CPU, then this machine's");
}

std::vector<std::string> SplitItems(std::string_view text) {
  std::vector<std::string> items;
  while (!text.empty()) {
    const std::string_view piece = text.substr(0, text.find(','));
    text.remove_prefix(std::min(text.size(), piece.size() + 1));
    const bool belongs_to_last = !items.empty() && piece.find('=') != piece.npos && piece.find(':') == piece.npos;
    if (belongs_to_last) {
      items.back() += fmt::format(",{}", piece);
    } else if (!piece.empty()) {
      items.emplace_back(piece);
    }
  }
  return items;
}

absl::StatusOr<ItemSpec> ParseItem(const std::string& text) {
  if (text.starts_with('{')) return ParseKerasItem(text, "option");
  return ParseItemSpec(text);
}

void Print(std::string_view text) { PrintBytes(Printable(text, true)); }

void PrintBytes(std::string_view bytes) { std::fwrite(bytes.data(), 1, bytes.size(), stdout); }

void ReportWritten(const std::string& path) { PrintError("wrote " + path); }

}  // namespace fusebox::tools
