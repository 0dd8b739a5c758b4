#pragma once

#include <vector>

#include "dynaplan/networks/activation.hpp"
#include "dynaplan/networks/network_member.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// One layer of a network with what surrounds it folded in, in double.
struct FoldedLayer {
  Eigen::MatrixXd weights;
  Eigen::VectorXd bias;

  FoldedLayer rows(Index first, Index count) const {
    return {weights.middleRows(first, count), bias.segment(first, count)};
  }

  /// As a PackedAffine or a RowAffine.
  template <class Affine>
  Affine packed() const {
    return {weights.template cast<typename Affine::Scalar>(), bias.template cast<typename Affine::Scalar>()};
  }
};

/// A member whose inputs come less their means, as T holds them, whose means of the targets are wanted in their own
/// units, and whose raw log-variances less their upper bounds.
///
/// Variances of targets, in their own units, are variance_low + variance_range / (1 + e^-x) with x from `log_odds`.
/// That is what the two soft bounds of NetworkMember reduce to: e^(high - softplus(high - raw)) is
/// e^high / (1 + e^(high - raw)), and e^(low + softplus(l - low)) is e^low + e^l.
struct FoldedNetwork {
  Activation activation;
  std::vector<FoldedLayer> hidden;
  FoldedLayer mean;                // (targets)
  FoldedLayer log_odds;            // (targets), no rows unless probabilistic
  Eigen::VectorXd variance_low;    // (targets), empty unless probabilistic
  Eigen::VectorXd variance_range;  // (targets)
};

template <class T>
FoldedNetwork folded_network(Activation activation, const NetworkScaling& scaling, const NetworkMember<float>& member);

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
