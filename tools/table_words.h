// SPDX-License-Identifier: Apache-2.0
// Options of the verbs that read data: how a CSV or libsvm file is written, and what a model's training learnt about it.
#pragma once
#include <memory>
#include <string>

#include "CLI/CLI.hpp"
#include "absl/status/status.h"
#include "fusebox/runtime/fusebox.h"

namespace fusebox::tools {

struct TableWords {
  std::string target, ignored, categorical, one_hot, separator = ",", decimal = ".", thousands, header = "first",
                                                     missing = "error", index_base = "auto";
  int64_t features = 0;

  // The options, and an encoding that is not learnt yet.
  TableOptions options() const;
};

// Adds --target, --ignore, --separator and the others to the verb; --categorical and --one-hot if it trains.
void AddTableWords(CLI::App* verb, TableWords& words, bool trains);

// Where the encoding of the table that a model was trained on lies: beside the model's file.
std::string EncodingPath(const std::string& model);

// The options of a table that a model meets: with the encoding beside the file of its weights, which is the model's if
// `weights` is empty, should there be one.
absl::StatusOr<TableOptions> OptionsFor(const std::string& model, const std::string& weights, const TableWords& words);

// Writes the encoding beside the model, if a table needs one to be read alike, and removes one of an earlier training
// otherwise.
absl::Status SaveEncoding(const std::string& model, const TableEncoding& encoding);

}  // namespace fusebox::tools
