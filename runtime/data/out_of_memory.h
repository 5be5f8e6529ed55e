// SPDX-License-Identifier: Apache-2.0
// Allocations that fail, as errors with a message.
#pragma once
#include <new>
#include <stdexcept>
#include <string>
#include <utility>

#include "absl/status/status.h"

namespace fusebox {

// An array's memory cannot be had. Says how many bytes of what: "no memory for 4000000000000 bytes of f32[1000000,1000000]".
class OutOfMemory : public std::bad_alloc {
 public:
  explicit OutOfMemory(std::string message) : message_(std::move(message)) {}
  const char* what() const noexcept override { return message_.c_str(); }

 private:
  std::string message_;
};

// Returns what f returns, a Status or a StatusOr; ResourceExhausted if an allocation in it fails. Public functions that
// take memory as files and data ask for it do all their work in one call of this.
template <class F>
auto WithoutBadAlloc(F f) -> decltype(f()) {
  try {
    return f();
  } catch (const OutOfMemory& e) {
    return absl::ResourceExhaustedError(e.what());
  } catch (const std::bad_alloc&) {
    return absl::ResourceExhaustedError("no memory is left");
  } catch (const std::length_error&) {
    return absl::ResourceExhaustedError("no memory for so many elements");
  }
}

}  // namespace fusebox
