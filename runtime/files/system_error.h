// SPDX-License-Identifier: Apache-2.0
// Converts errors of the operating system to a Status.
#pragma once
#include <cerrno>
#include <cstring>
#include <string>
#include <string_view>

#include "fusebox/graph/status.h"

namespace fusebox {

// "'a/b.npy': cannot open: No such file or directory", for an errno.
inline absl::Status SystemError(std::string_view who, std::string_view what, int error) {
  const std::string text = fmt::format("{}: {}: {}", who, what, std::strerror(error));
  switch (error) {
    case ENOENT:
      return absl::NotFoundError(text);
    case EACCES:
    case EPERM:
    case EROFS:
      return absl::PermissionDeniedError(text);
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
      return absl::ResourceExhaustedError(text);
    default:
      return absl::UnavailableError(text);
  }
}

}  // namespace fusebox
