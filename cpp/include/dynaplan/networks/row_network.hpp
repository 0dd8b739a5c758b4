#pragma once

#include "dynaplan/core/workspace.hpp"
#include "dynaplan/networks/folded_network.hpp"
#include "dynaplan/networks/row_affine.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// One network of an ensemble, ready to run for single trajectories: what PackedNetwork gives, bit for bit, in a
/// fraction of the time where there are only a few.
template <class T>
class RowNetwork {
 public:
  // One lane at a time costs about a sixth of a whole vector of them.
  static constexpr Index kMaxLanes = kVectorLanes<T> >= 8 ? kVectorLanes<T> / 4 : 1;

  explicit RowNetwork(const FoldedNetwork& network);

  /// Scratch that `run` takes.
  std::size_t workspace_bytes() const;
  /// Means and, unless null, variances of the targets, (targets, K) each, for the first `wanted` lanes of `encoded`
  /// (inputs, K); the lanes beyond repeat the last.
  void run(ConstBlock<T> encoded, Index wanted, Workspace& workspace, Block<T> mean, const Block<T>* variance) const;

 private:
  const T* features(T* input, Workspace& workspace) const;
  void write_variance(T* log_odds, Index lane, Index end, Block<T> out) const;

  Activation activation_;
  Index inputs_ = 0;
  Index widest_ = 0;  // padded units of a hidden layer
  std::vector<RowAffine<T>> hidden_;
  RowAffine<T> mean_;
  RowAffine<T> log_odds_;
  Eigen::Matrix<T, Eigen::Dynamic, 1> variance_low_;
  Eigen::Matrix<T, Eigen::Dynamic, 1> variance_range_;
};

extern template class RowNetwork<float>;
extern template class RowNetwork<double>;

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
