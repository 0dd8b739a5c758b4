#pragma once

#include "dynaplan/models/network.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// One layer of a network with what surrounds it folded in, in double.
struct FoldedLayer {
  Eigen::MatrixXd weights;
  Eigen::VectorXd bias;
};

/// Layer `index` of a member whose inputs come less their means, as T holds them, whose means of the targets are wanted
/// in their own units, and whose raw log-variances less their upper bounds.
template <class T>
FoldedLayer folded_layer(const NetworkShape& shape, const NetworkScaling& scaling, const NetworkMember<float>& member,
                         Index index);

/// Variances of targets, in their own units, are low + range / (1 + e^-x) with x from the last layer as folded above.
/// That is what the two soft bounds of NetworkMember amount to: e^(high - softplus(high - raw)) is
/// e^high / (1 + e^(high - raw)), and e^(low + softplus(l - low)) is e^low + e^l.
struct VarianceBounds {
  Eigen::VectorXd low;    // (targets), empty unless probabilistic
  Eigen::VectorXd range;  // (targets)
};

VarianceBounds variance_bounds(const NetworkScaling& scaling, const NetworkMember<float>& member);

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
