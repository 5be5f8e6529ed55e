// SPDX-License-Identifier: Apache-2.0
// A library whose symbol has the right name but returns something else.
const void* fusebox_plugin(void);

__attribute__((visibility("default"))) const void* fusebox_plugin(void) {
  static const char text[64] = "not a descriptor";
  return text;
}
