// SPDX-License-Identifier: Apache-2.0
// Options of the verbs that read data: how a CSV file is written.
#pragma once
#include <string>

#include "CLI/CLI.hpp"
#include "fusebox/runtime/fusebox.h"

namespace fusebox::tools {

struct TableWords {
  std::string target, ignored, separator = ",", decimal = ".", header = "first", missing = "error";

  TableOptions options() const;
};

// Adds --target, --ignore, --separator, --decimal, --header and --na to the verb.
void AddTableWords(CLI::App* verb, TableWords& words);

}  // namespace fusebox::tools
