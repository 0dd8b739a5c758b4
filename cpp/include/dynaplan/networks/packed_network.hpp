#pragma once

#include "dynaplan/core/workspace.hpp"
#include "dynaplan/networks/affine.hpp"
#include "dynaplan/networks/folded_network.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// One network of an ensemble, ready to run: encoded inputs less their means go in, targets in their own units come
/// out.
template <class T>
class PackedNetwork {
 public:
  explicit PackedNetwork(const FoldedNetwork& network);

  /// Scratch that `features` leaves taken for `lanes` trajectories.
  std::size_t features_bytes(Index lanes) const;
  /// The last hidden layer from `encoded` (inputs, K), on two tiles of the workspace that stay taken.
  ConstBlock<T> features(ConstBlock<T> encoded, Workspace& workspace) const;

  /// Means of the targets into `out` (targets, K), from what `features` gave.
  void mean(ConstBlock<T> features, Block<T> out) const;
  /// Variances of the targets into `out` (targets, K), 0 if the network gives none.
  void variance(ConstBlock<T> features, Block<T> out) const;

  /// Scratch that `slopes` leaves taken, and `gradient` on top of it.
  std::size_t gradient_bytes(Index lanes) const;
  /// Means into `out` (targets, K); returns the activations' derivatives, all hidden units (units, K) on a tile of the
  /// workspace that stays taken.
  ConstBlock<T> slopes(ConstBlock<T> encoded, Workspace& workspace, Block<T> out) const;
  /// The derivatives of mean `target` with respect to the encoded inputs into `out` (inputs, K), from what `slopes`
  /// gave.
  void gradient(Index target, ConstBlock<T> slopes, Workspace& workspace, Block<T> out) const;

 private:
  Activation activation_;
  Index widest_ = 0;
  Index units_ = 0;  // of all hidden layers
  std::vector<PackedAffine<T>> hidden_;
  PackedAffine<T> mean_;
  PackedAffine<T> log_odds_;  // see FoldedNetwork
  Eigen::Matrix<T, Eigen::Dynamic, 1> variance_low_;
  Eigen::Matrix<T, Eigen::Dynamic, 1> variance_range_;
  std::vector<PackedAffine<T>> transposed_;  // the hidden layers' weights the other way, without a bias
  Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic> mean_weights_;
};

extern template class PackedNetwork<float>;
extern template class PackedNetwork<double>;

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
