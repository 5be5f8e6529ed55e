// SPDX-License-Identifier: Apache-2.0
// What a table has taught about itself: its columns, the classes of columns of text, and the means of the others.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace fusebox {

// The values of a column of text, each of which stands for its place here: sorted, by value if all are numbers, as
// pandas.Categorical and scikit-learn's encoders sort them.
struct TableClasses {
  std::string column;
  std::vector<std::string> values;
  bool one_hot = false;  // Whether the column becomes one column a class, of 0 and 1.
};

struct TableMean {
  std::string column;
  double value = 0;
};

// Learnt from the table that a model is trained on, and applied to those that it meets later, so that a class keeps its
// index and a missing value its replacement.
struct TableEncoding {
  std::vector<std::string> inputs, targets;  // Columns in the order in which the model takes them; empty: not learnt.
  std::vector<TableClasses> classes;
  std::vector<TableMean> means;  // In place of missing values.

  bool is_learnt() const { return !inputs.empty(); }
  // Whether a table could not be read in the same way without it.
  bool is_needed() const { return !classes.empty() || !means.empty(); }
  const TableClasses* ClassesOf(const std::string& column) const;
  std::optional<double> MeanOf(const std::string& column) const;
};

// JSON. Errors: no such file; another form.
absl::Status WriteTableEncoding(const std::string& path, const TableEncoding& encoding);
absl::StatusOr<TableEncoding> ReadTableEncoding(const std::string& path);

}  // namespace fusebox
