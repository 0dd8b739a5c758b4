#pragma once

#include <vector>

#include "dynaplan/core/block.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// `out = W x + b` for one trajectory: outputs take the place of lanes, of which a single trajectory would leave all
/// but one idle. Sums run in the order of PackedAffine, so both give the same bits.
template <class T>
class RowAffine {
 public:
  using Scalar = T;
  using Matrix = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic>;
  using Vector = Eigen::Matrix<T, Eigen::Dynamic, 1>;

  /// `weights` is (outputs, inputs), `bias` (outputs).
  RowAffine(const Matrix& weights, const Vector& bias);

  Index inputs() const { return inputs_; }

  /// Numbers that `apply` writes: the outputs, then zeros up to whole vectors.
  Index padded_outputs() const { return stride_; }

  /// `x` (inputs) to `out` (padded_outputs), aligned to a vector.
  void apply(const T* x, T* out) const;

 private:
  Index inputs_;
  Index stride_;
  std::vector<T, Eigen::aligned_allocator<T>> columns_;  // the bias, then a column of the weights for each input
};

extern template class RowAffine<float>;
extern template class RowAffine<double>;

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
