#pragma once

#include "dynaplan/core/affine.hpp"
#include "dynaplan/core/workspace.hpp"
#include "dynaplan/models/network.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// One network of an ensemble, ready to run: weights packed, scales of inputs and targets folded into the first and
/// the last layer (in double), so that encoded inputs less their means go in and targets in their own units come out.
template <class T>
class PackedNetwork {
 public:
  PackedNetwork(const NetworkShape& shape, const NetworkScaling& scaling, const NetworkMember<float>& member);

  /// Scratch that `features` leaves taken for `lanes` trajectories.
  std::size_t features_bytes(Index lanes) const;
  /// The last hidden layer from `encoded` (inputs, K), on two tiles of the workspace that stay taken.
  ConstBlock<T> features(ConstBlock<T> encoded, Workspace& workspace) const;

  /// Means of the targets into `out` (targets, K), from what `features` gave.
  void mean(ConstBlock<T> features, Block<T> out) const;
  /// Variances of the targets into `out` (targets, K), 0 if the network gives none.
  void variance(ConstBlock<T> features, Block<T> out) const;

 private:
  Activation activation_;
  Index widest_ = 0;
  std::vector<PackedAffine<T>> hidden_;
  PackedAffine<T> mean_;
  // The variance is low + range / (1 + e^-x) with x of this layer: what the two soft bounds of NetworkMember amount
  // to, as e^(high - softplus(high - raw)) = e^high / (1 + e^(high - raw)) and e^(low + softplus(l - low)) = e^low +
  // e^l.
  PackedAffine<T> log_odds_;
  std::vector<T> variance_low_;
  std::vector<T> variance_range_;
};

extern template class PackedNetwork<float>;
extern template class PackedNetwork<double>;

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
