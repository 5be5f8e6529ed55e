// SPDX-License-Identifier: Apache-2.0
// absl::Status with fmt: what a caller, a file or a plugin got wrong, as a sentence that names the component, what was
// expected and what it got.
#pragma once
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "fmt/format.h"

namespace fusebox {

template <class... T>
absl::Status Refuse(fmt::format_string<T...> format, T&&... arguments) {
  return absl::InvalidArgumentError(fmt::format(format, std::forward<T>(arguments)...));
}

// Debian's absl::string_view is not std::string_view, which fmt knows.
inline std::string Message(const absl::Status& status) { return std::string(status.message()); }

}  // namespace fusebox

// Leaves the function with the status, if it is an error.
#define FUSEBOX_RETURN_IF_ERROR(expression)                                                      \
  do {                                                                                           \
    if (absl::Status fusebox_status = (expression); !fusebox_status.ok()) return fusebox_status; \
  } while (false)

#define FUSEBOX_CONCAT_(a, b) a##b
#define FUSEBOX_CONCAT(a, b) FUSEBOX_CONCAT_(a, b)
// `declaration = value of the StatusOr expression`, or leaves the function with its status.
#define FUSEBOX_ASSIGN_OR_RETURN(declaration, expression)                                                 \
  auto FUSEBOX_CONCAT(fusebox_or_, __LINE__) = (expression);                                              \
  if (!FUSEBOX_CONCAT(fusebox_or_, __LINE__).ok()) return FUSEBOX_CONCAT(fusebox_or_, __LINE__).status(); \
  declaration = *std::move(FUSEBOX_CONCAT(fusebox_or_, __LINE__))
