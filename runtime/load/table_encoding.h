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
  std::string column;               // The column's name.
  std::vector<std::string> values;  // Its classes, in order.
  bool one_hot = false;             // Whether the column becomes one column a class, of 0 and 1.
};

// What a missing value of a column of numbers is replaced by.
struct TableMean {
  std::string column;  // The column's name.
  double value = 0;    // The mean of the values that are there.
};

// Learnt from the table that a model is trained on, and applied to those that it meets later, so that a class keeps its
// index and a missing value its replacement.
struct TableEncoding {
  std::vector<std::string> inputs, targets;  // Columns in the order in which the model takes them; empty: not learnt.
  std::vector<TableClasses> classes;         // Of the columns of text.
  std::vector<TableMean> means;              // In place of missing values.

  // Whether a table has been read with it.
  bool is_learnt() const { return !inputs.empty(); }
  // Whether a table could not be read in the same way without it.
  bool is_needed() const { return !classes.empty() || !means.empty(); }
  // The classes of a column; null if it has none.
  const TableClasses* ClassesOf(const std::string& column) const;
  // The mean of a column, if it is needed.
  std::optional<double> MeanOf(const std::string& column) const;
};

// JSON. Errors: no such file; another form.
absl::Status WriteTableEncoding(const std::string& path, const TableEncoding& encoding);
absl::StatusOr<TableEncoding> ReadTableEncoding(const std::string& path);

}  // namespace fusebox
