#pragma once

#include <Eigen/Core>
#include <vector>

#include "dynaplan/core/level.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// Inputs are standardised, (x - mean) / scale, and targets likewise: the network's own units.
struct NetworkScaling {
  Eigen::VectorXd input_mean;    // (inputs)
  Eigen::VectorXd input_scale;   // (inputs), > 0
  Eigen::VectorXd target_mean;   // (targets)
  Eigen::VectorXd target_scale;  // (targets), > 0
};

template <class T>
struct NetworkLayer {
  Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic> weights;  // (outputs, inputs)
  Eigen::Matrix<T, Eigen::Dynamic, 1> bias;                  // (outputs)
};

/// One network of an ensemble. The bounds are of the log-variances of standardised targets (Chua et al. 2018, appendix
/// A.1): lv = high - softplus(high - raw), then lv = low + softplus(lv - low). Empty unless probabilistic.
template <class T>
struct NetworkMember {
  std::vector<NetworkLayer<T>> layers;
  Eigen::Matrix<T, Eigen::Dynamic, 1> log_variance_low;   // (targets)
  Eigen::Matrix<T, Eigen::Dynamic, 1> log_variance_high;  // (targets)
};

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
