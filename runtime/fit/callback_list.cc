// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/fit/callback_list.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <string_view>

#include "fusebox/graph/status.h"
#include "fusebox/plugins/sdk/plugin_abi.h"

namespace fusebox {
namespace {

bool IsSet(const char* variable) {
  const char* value = std::getenv(variable);
  return value != nullptr && *value != '\0';
}

// NO_COLOR: https://no-color.org
bool TakesColour() {
  const char* term = std::getenv("TERM");
  return !IsSet("NO_COLOR") && (term == nullptr || std::string_view(term) != "dumb");
}

int64_t Columns() {
  if (const char* text = std::getenv("COLUMNS"); text != nullptr) {
    const int64_t columns = std::strtoll(text, nullptr, 10);
    if (columns > 0) return columns;
  }
  winsize size = {};
  return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

}  // namespace

absl::StatusOr<CallbackList> CallbackList::Make(const std::vector<ItemSpec>& specs) {
  CallbackList list;
  for (const ItemSpec& spec : specs) {
    FUSEBOX_ASSIGN_OR_RETURN(CallbackObject callback, CallbackObject::Create(Registry::Default(), spec));
    list.callbacks_.push_back(std::move(callback));
  }
  list.event_.terminal = isatty(STDERR_FILENO) == 1;
  list.event_.colour = list.event_.terminal && TakesColour();
  list.event_.columns = Columns();
  list.start_ = Clock::now();
  return list;
}

bool CallbackList::Wants(uint32_t event_kind) const {
  return std::ranges::any_of(callbacks_, [&](const CallbackObject& c) { return c.Wants(event_kind); });
}

absl::Status CallbackList::Tell(uint32_t event_kind, const Logs& logs) { return TellSince(event_kind, start_, logs); }

absl::Status CallbackList::TellSince(uint32_t event_kind, Clock::time_point then, const Logs& logs) {
  if (!Wants(event_kind)) return absl::OkStatus();
  event_.kind = event_kind;
  event_.seconds = std::chrono::duration<double>(Clock::now() - then).count();
  event_.logs.clear();
  for (const LogValue& log : logs) event_.logs.emplace_back(log.name, log.value);
  for (CallbackObject& callback : callbacks_) FUSEBOX_RETURN_IF_ERROR(callback.OnEvent(event_));
  return absl::OkStatus();
}

absl::StatusOr<std::vector<CallbackState>> CallbackList::SaveStates() const {
  std::vector<CallbackState> states;
  for (const CallbackObject& callback : callbacks_) {
    FUSEBOX_ASSIGN_OR_RETURN(std::string bytes, callback.SaveState());
    states.push_back({callback.spec().id, std::move(bytes)});
  }
  return states;
}

absl::Status CallbackList::LoadStates(const std::vector<CallbackState>& states) {
  std::vector<CallbackObject*> owners;  // Of the states.
  for (const CallbackState& state : states) {
    const auto owner = std::ranges::find_if(callbacks_, [&](CallbackObject& callback) {
      return callback.spec().id == state.id && std::ranges::find(owners, &callback) == owners.end();
    });
    if (owner == callbacks_.end() && !state.bytes.empty()) {
      return Refuse("training state: it has a state of the callback {}, which this run lacks", state.id);
    }
    owners.push_back(owner == callbacks_.end() ? nullptr : &*owner);
  }
  for (size_t i = 0; i < states.size(); ++i) {
    if (owners[i] != nullptr) FUSEBOX_RETURN_IF_ERROR(owners[i]->LoadState(states[i].bytes));
  }
  return absl::OkStatus();
}

}  // namespace fusebox
