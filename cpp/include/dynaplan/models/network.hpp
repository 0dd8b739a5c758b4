#pragma once

#include <vector>

#include "dynaplan/networks/activation.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// The sizes and kinds of a network, or of all networks of an ensemble.
struct NetworkShape {
  Index state_dim = 0;
  Index action_dim = 0;
  std::vector<Index> angles;  // states that are angles in radians, ascending: the network sees sin and cos of them
  std::vector<Index> hidden;  // units of each hidden layer
  Activation activation = Activation::kSiLU;
  bool probabilistic = false;  // a log-variance beside every mean
  bool rewards = false;        // one more target after the states: the reward of the step

  /// What the first layer sees: the states with sin in place of each angle, the cosines, the actions.
  Index inputs() const { return state_dim + static_cast<Index>(angles.size()) + action_dim; }
  /// The changes of the states, then the reward if there is one.
  Index targets() const { return state_dim + (rewards ? 1 : 0); }
  /// The means of the targets, then their log-variances if there are any.
  Index outputs() const { return probabilistic ? 2 * targets() : targets(); }
  Index layers() const { return static_cast<Index>(hidden.size()) + 1; }
  Index layer_inputs(Index layer) const { return layer == 0 ? inputs() : hidden[static_cast<std::size_t>(layer - 1)]; }
  Index layer_outputs(Index layer) const {
    return layer + 1 == layers() ? outputs() : hidden[static_cast<std::size_t>(layer)];
  }

  /// Throws ValueError, ShapeError naming what does not fit.
  void validate() const;
};

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

/// A network, or an ensemble: one class for all of them.
struct NetworkParameters {
  NetworkShape shape;
  NetworkScaling scaling;
  std::vector<NetworkMember<float>> members;

  /// Throws ValueError, ShapeError: an array has the wrong shape or is not finite, a scale is not above 0.
  void validate() const;
};

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
