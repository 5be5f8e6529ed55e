// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/preprocessing_layers.h"

#include <algorithm>
#include <cmath>

#include "fmt/ranges.h"
#include "fusebox/graph/status.h"

namespace fusebox {
namespace {

// Which elements of a sample share statistics. A group is one index of the kept axes of [n, ...].
struct Groups {
  std::vector<size_t> of_element;  // The group of each element of a sample, in row-major order.
  std::vector<int64_t> sizes;      // The sizes of the kept axes.
  size_t count = 1;                // The number of groups.
};

absl::StatusOr<Groups> GroupsOf(const std::vector<int64_t>& shape, const Ints& axes) {
  const auto rank = int64_t(shape.size());
  std::vector<bool> kept(shape.size());
  for (const int64_t axis : axes) {
    const int64_t i = axis < 0 ? axis + rank : axis;
    if (i < 1 || i >= rank || kept[size_t(i)]) {
      return Refuse("expects axes of samples, 1 to {} or counted from the end, each once, for data [{}]; got {}",
                    rank - 1, fmt::join(shape, ","), axis);
    }
    kept[size_t(i)] = true;
  }
  Groups groups{.of_element = {0}, .sizes = {}};
  for (size_t i = 1; i < shape.size(); ++i) {
    std::vector<size_t> finer;
    for (const size_t group : groups.of_element) {
      for (int64_t j = 0; j < shape[i]; ++j) finer.push_back(kept[i] ? group * size_t(shape[i]) + size_t(j) : group);
    }
    groups.of_element = std::move(finer);
    if (!kept[i]) continue;
    groups.sizes.push_back(shape[i]);
    groups.count *= size_t(shape[i]);
  }
  return groups;
}

// Calls f with each element as f64, and with the element's group.
template <class F>
void ForEach(const Tensor& data, const Groups& groups, F f) {
  constexpr int64_t kRows = 1024;  // Rows that are widened to f64 at a time.
  for (int64_t row = 0; row < data.rows(); row += kRows) {
    const Tensor wide = data.Rows(row, std::min(row + kRows, data.rows())).Cast(DType::kF64);
    const size_t size = groups.of_element.size();
    for (size_t i = 0; i < size_t(wide.size()); ++i) f(wide.values<double>()[i], groups.of_element[i % size]);
  }
}

Tensor Narrow(const std::vector<double>& numbers, const std::vector<int64_t>& sizes) {
  Tensor tensor(DType::kF32, sizes);
  std::ranges::transform(numbers, tensor.mutable_values<float>().begin(), [](double v) { return float(v); });
  return tensor;
}

// Keras's summary of data: sorted values, and the number of elements that each one stands for.
struct Quantiles {
  std::vector<float> values, weights;
};

// As np.interp: interpolates fp, given at the points xp, at x. Outside the points, returns the value at the nearer end.
double Interpolate(double x, const std::vector<float>& xp, const std::vector<float>& fp) {
  const auto above = std::ranges::upper_bound(xp, x, {}, [](float v) { return double(v); });
  if (above == xp.begin()) return fp.front();
  const size_t j = size_t(above - xp.begin()) - 1;
  if (j + 1 == xp.size() || double(xp[j]) == x) return fp[j];
  const double slope = (double(fp[j + 1]) - fp[j]) / (double(xp[j + 1]) - xp[j]);
  return slope * (x - xp[j]) + fp[j];
}

// Summarizes sorted values by about 1 / epsilon of them, evenly spaced.
Quantiles Summarize(const std::vector<float>& sorted, double epsilon) {
  const double step = std::max(double(sorted.size()) / (1 / epsilon), 1.0);
  Quantiles q;
  for (size_t i = size_t(step - 1); i < sorted.size(); i += size_t(step)) q.values.push_back(sorted[i]);
  q.weights.assign(q.values.size(), float(step));
  return q;
}

// Compresses a summary to 1 / epsilon values, at equal shares of the weights.
Quantiles Compress(const Quantiles& q, double epsilon) {
  if (double(q.values.size()) * epsilon < 1) return q;
  std::vector<float> sums, shares;
  float sum = 0;
  for (const float weight : q.weights) sums.push_back(sum += weight);
  for (const float part : sums) shares.push_back(part / sum);
  Quantiles fewer;
  double before = 0;
  for (int64_t i = 0; i < int64_t(std::ceil(1 / epsilon)); ++i) {
    const double percent = epsilon + double(i) * epsilon;
    fewer.values.push_back(float(Interpolate(percent, shares, q.values)));
    const double reached = Interpolate(percent, shares, sums);
    fewer.weights.push_back(float(reached - before));
    before = reached;
  }
  return fewer;
}

ItemAttributes DiscretizationAttributes(const DiscretizationOptions& options) {
  return {{"epsilon", options.epsilon}, {"output_mode", options.output_mode}};
}

}  // namespace

NormalizationLayer::NormalizationLayer(NormalizationOptions options, Where where)
    : Layer("fusebox/normalization",
            {{"axis", Ints(options.axis.begin(), options.axis.end())}, {"invert", options.invert}},
            {.name = options.name, .input_shape = options.input_shape}, where) {
  ItemAttributes& attributes = mutable_config().item.attributes;
  if (!options.mean.empty()) attributes["mean"] = NumbersText(options.mean);
  if (!options.variance.empty()) attributes["variance"] = NumbersText(options.variance);
}

absl::Status NormalizationLayer::Adapt(const Tensor& data) {
  FUSEBOX_RETURN_IF_ERROR(CheckUnused("Adapt"));
  const ItemAttributes& attributes = config().item.attributes;
  if (attributes.contains("mean") || attributes.contains("variance")) {
    return absl::FailedPreconditionError("Normalization: mean and variance were given, so there is nothing to adapt");
  }
  if (data.rank() < 1 || data.rows() < 1 || data.size() < 1) {
    return Refuse("Normalization: Adapt expects samples [n, ...], got {}",
                  data.rank() < 1 ? "a scalar" : fmt::format("[{}]", fmt::join(data.shape(), ",")));
  }
  const std::vector<int64_t> shape(data.shape().begin(), data.shape().end());
  const absl::StatusOr<Groups> groups = GroupsOf(shape, std::get<Ints>(attributes.at("axis")));
  if (!groups.ok()) return Refuse("Normalization: Adapt {}", Message(groups.status()));
  const double count = double(data.size()) / double(groups->count);
  std::vector<double> mean(groups->count), variance(groups->count);
  ForEach(data, *groups, [&](double x, size_t group) { mean[group] += x; });
  for (double& m : mean) m /= count;
  ForEach(data, *groups, [&](double x, size_t group) { variance[group] += (x - mean[group]) * (x - mean[group]); });
  for (double& v : variance) v /= count;
  SetFirstValues({{"mean", Narrow(mean, groups->sizes)}, {"variance", Narrow(variance, groups->sizes)}});
  return absl::OkStatus();
}

NormalizationLayer Normalization(NormalizationOptions options, Layer::Where where) {
  return NormalizationLayer(std::move(options), where);
}

DiscretizationLayer Discretization(std::vector<double> bin_boundaries, DiscretizationOptions options,
                                   Layer::Where where) {
  ItemAttributes attributes = DiscretizationAttributes(options);
  attributes["bin_boundaries"] = NumbersText(bin_boundaries);
  return DiscretizationLayer("fusebox/discretization", std::move(attributes),
                             {.name = options.name, .input_shape = options.input_shape}, where);
}

DiscretizationLayer Discretization(int64_t num_bins, DiscretizationOptions options, Layer::Where where) {
  ItemAttributes attributes = DiscretizationAttributes(options);
  attributes["num_bins"] = num_bins;
  return DiscretizationLayer("fusebox/discretization", std::move(attributes),
                             {.name = options.name, .input_shape = options.input_shape}, where);
}

absl::Status DiscretizationLayer::Adapt(const Tensor& data) {
  FUSEBOX_RETURN_IF_ERROR(CheckUnused("Adapt"));
  ItemAttributes& attributes = mutable_config().item.attributes;
  const auto bins = attributes.find("num_bins");
  const int64_t* const num_bins = bins != attributes.end() ? std::get_if<int64_t>(&bins->second) : nullptr;
  if (num_bins == nullptr) {
    return absl::FailedPreconditionError("Discretization: bin_boundaries were given, so there is nothing to adapt");
  }
  if (*num_bins < 2) return Refuse("Discretization: Adapt expects num_bins of 2 or more, got {}", *num_bins);
  if (data.empty() || data.size() < 1) return Refuse("Discretization: Adapt expects data, got none");
  const double epsilon = std::get<double>(attributes.at("epsilon"));
  if (!(epsilon > 0 && epsilon <= 1)) return Refuse("Discretization: epsilon: expected in (0, 1], got {}", epsilon);
  const Tensor narrow = data.Cast(DType::kF32);
  std::vector<float> sorted(narrow.values<float>().begin(), narrow.values<float>().end());
  if (std::ranges::any_of(sorted, [](float v) { return std::isnan(v); })) {
    return Refuse("Discretization: Adapt expects numbers, got NaN");
  }
  std::ranges::sort(sorted);
  const Quantiles quantiles = Compress(Compress(Summarize(sorted, epsilon), epsilon), 1 / double(*num_bins));
  std::vector<double> boundaries(quantiles.values.begin(), quantiles.values.end());
  boundaries.pop_back();
  if (boundaries.empty()) return Refuse("Discretization: Adapt finds no boundaries: all data lie in one range");
  attributes["bin_boundaries"] = NumbersText(boundaries);
  return absl::OkStatus();
}

Layer CategoryEncoding(int64_t num_tokens, CategoryEncodingOptions options, Layer::Where where) {
  return Layer("fusebox/category_encoding", {{"num_tokens", num_tokens}, {"output_mode", options.output_mode}},
               {.name = std::move(options.name), .input_shape = std::move(options.input_shape)}, where);
}

}  // namespace fusebox
