// SPDX-License-Identifier: Apache-2.0
// A library that is not a plugin.
int somebody_elses_function(void);
__attribute__((visibility("default"))) int somebody_elses_function(void) { return 1; }
