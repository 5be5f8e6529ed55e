// SPDX-License-Identifier: Apache-2.0
// How fusebox writes every file: whole or not at all.
#pragma once
#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace fusebox {

// Makes `bytes` the content of the file `path`: a temporary file in the same folder is written, synced and renamed over
// it, and the folder synced. Readers of `path` see the old file or the new one, even after a crash. A symbolic link
// is followed, unless it is another user's in a folder that everyone may write to. A file that is there keeps its mode,
// and its owner where that is permitted; a new one gets its mode from the umask. On an error the old file is as it was and
// the temporary one is gone; what a killed process has left of one is removed by the next call for the same file.
absl::Status WriteFileAtomically(const std::string& path, std::string_view bytes);

// An error if WriteFileAtomically would fail at once: the folder is missing or can't be written (it is tried, so that
// the answer holds for root and on read-only mounts too), `path` exists and is no regular file, or its name is longer than
// the file system allows. Call it before long work whose result goes there.
absl::Status CheckWritable(const std::string& path);

}  // namespace fusebox
