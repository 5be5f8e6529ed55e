// SPDX-License-Identifier: Apache-2.0
// How fusebox writes every file: whole or not at all.
#pragma once
#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace fusebox {

// Makes `bytes` the content of the file `path`: a temporary file in the same folder is written, synced and renamed over
// it, and the folder synced. Readers of `path` see the old file or the new one, even after a crash. A symbolic link
// is followed. On an error the old file is as it was and the temporary one is gone.
absl::Status WriteFileAtomically(const std::string& path, std::string_view bytes);

// An error if WriteFileAtomically would fail at once: the folder is missing or can't be written (it is tried, so that
// the answer holds for root and on read-only mounts too), or `path` exists and is no regular file. Call it
// before long work whose result goes there.
absl::Status CheckWritable(const std::string& path);

}  // namespace fusebox
