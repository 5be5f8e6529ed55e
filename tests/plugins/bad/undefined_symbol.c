// SPDX-License-Identifier: Apache-2.0
// A plugin built against a library that is not installed.
int a_function_that_nobody_has(void);
const void* fusebox_plugin(void);

__attribute__((visibility("default"))) const void* fusebox_plugin(void) {
  return a_function_that_nobody_has() ? "" : "";
}
