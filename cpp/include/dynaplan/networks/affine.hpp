#pragma once

#include <vector>

#include "dynaplan/networks/activation.hpp"
#include "dynaplan/networks/register_tile.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// `out = W [x_0; x_1; ...] + b` on blocks, with the inputs left where they are. The weights are packed in panels of
/// `kTileRows` outputs, so that a register tile of outputs x lanes reads them once, in order.
template <class T>
class PackedAffine {
 public:
  using Scalar = T;
  using Matrix = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic>;
  using Vector = Eigen::Matrix<T, Eigen::Dynamic, 1>;

  /// `weights` is (outputs, inputs), `bias` (outputs).
  PackedAffine(const Matrix& weights, const Vector& bias);

  Index outputs() const { return outputs_; }
  Index inputs() const { return inputs_; }

  /// The inputs are the rows of `parts`, one after another; `out` aliases none of them.
  void apply(const ConstBlock<T>* parts, Index count, Block<T> out) const;

  /// The same with `activation` applied to the results while they are in the nearest cache.
  void apply(const ConstBlock<T>* parts, Index count, Activation activation, Block<T> out) const;

 private:
  template <class Finish>
  void apply_panels(const ConstBlock<T>* parts, Index count, Block<T> out, const Finish& finish) const;

  Index outputs_;
  Index inputs_;
  std::vector<T> packed_;
};

extern template class PackedAffine<float>;
extern template class PackedAffine<double>;

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
