// SPDX-License-Identifier: Apache-2.0
// Looks up a row of a table for each id:
//     x [N, ...], ids  --rows of E [input_dim, output_dim]-->  y [N, ..., output_dim]
// Ids may be integers, or floats, which are rounded towards zero. As in Keras on JAX, an id in [-input_dim, 0) counts
// from the end, and any other id outside the table gives a row of NaN, which shows in the loss; no gradient comes from
// such a row. With mask_zero, the id 0 is padding: its steps count neither in losses nor in metrics.
// Source: Bengio et al. (2003), A Neural Probabilistic Language Model.
#include <limits>

#include "fusebox/plugins/sdk/sdk.h"

namespace fusebox {
namespace {

class Embedding final : public sdk::Layer {
 public:
  explicit Embedding(const sdk::Attributes& attributes)
      : rows_(attributes.Int("input_dim")),
        width_(attributes.Int("output_dim")),
        embeddings_(attributes.Rules("embeddings")),
        mask_zero_(attributes.Bool("mask_zero")) {}

  Value Expand(sdk::Scope& scope, Value x) const override {
    if (x.rank() < 1) return scope.Error("expects ids [batch, ...], got {}", x.type());
    if (x.rank() >= FB_MAX_RANK)
      return scope.Error("expects ids of rank at most {}, got {}", FB_MAX_RANK - 1, x.type());
    Dims dims = x.dims();
    int64_t count = 1;
    for (const int64_t d : dims) {
      if (__builtin_mul_overflow(count, d, &count)) return scope.Error("{} is too large", x.type());
    }
    const Value table = scope.Weight("embeddings", {rows_, width_}, embeddings_);
    if (mask_zero_) scope.SetMask(Not(Equal(x, 0)));

    const bool integers = x.dtype() == FB_I32 || x.dtype() == FB_I64;
    const Value ids = Reshape(integers ? x : Cast(x, FB_I32), {count});
    const Value row = Select(Less(ids, 0), ids + double(rows_), ids);
    const Value inside = And(LessEqual(0, row), Less(row, double(rows_)));
    const Value index = Select(inside, row, -1);  // Before narrowing an id of i64.
    const Value picked = Gather(table, integers && x.dtype() == FB_I64 ? Cast(index, FB_I32) : index);
    dims.push_back(width_);
    return Reshape(Select(Reshape(inside, {count, 1}), picked, std::numeric_limits<double>::quiet_NaN()), dims);
  }

 private:
  int64_t rows_, width_;
  sdk::WeightRules embeddings_;
  bool mask_zero_;
};

constexpr int64_t kMostRows = std::numeric_limits<int32_t>::max();

FUSEBOX_PLUGIN(Embedding, {.id = "fusebox/embedding",
                           .doc = "Rows of a table by their indices: ids [N, ...] to [N, ..., output_dim].",
                           .attributes = {
                               sdk::Int("input_dim").Range(1, kMostRows).Doc("number of ids: the largest one plus 1"),
                               sdk::Int("output_dim").Min(1).Doc("width of a row"),
                               sdk::InitializerRef("embeddings_initializer", "uniform").Doc("initializer of the table"),
                               sdk::RegularizerRef("embeddings_regularizer").Doc("penalty on the table"),
                               sdk::RegularizerRef("activity_regularizer").Doc("penalty on the output, per sample"),
                               sdk::ConstraintRef("embeddings_constraint").Doc("constraint on the table"),
                               sdk::Bool("mask_zero", false).Doc("treats id 0 as padding, whose steps do not count"),
                           }});

}  // namespace
}  // namespace fusebox
