#pragma once

#include <vector>

#include "dynaplan/core/angles.hpp"
#include "dynaplan/networks/activation.hpp"
#include "dynaplan/networks/network_member.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// The sizes and kinds of a network, or of all networks of an ensemble.
struct NetworkShape {
  Index state_dim = 0;
  Index action_dim = 0;
  std::vector<Index> angles;  // states that are angles, ascending: the network sees sin and cos of them
  std::vector<Index> hidden;  // units of each hidden layer
  Activation activation = Activation::kSiLU;
  bool probabilistic = false;   // a log-variance beside every mean
  bool rewards = false;         // one more target after the states: the reward of the step
  std::vector<double> periods;  // of each angle, in its state's unit; none: all in radians

  double period(std::size_t angle) const { return periods.empty() ? kTurn : periods[angle]; }
  /// What the first layer sees: the states with sin in place of each angle, the cosines, the actions.
  Index inputs() const { return state_dim + static_cast<Index>(angles.size()) + action_dim; }
  /// The changes of the states, then the reward if there is one.
  Index targets() const { return state_dim + (rewards ? 1 : 0); }
  /// The means of the targets, then their log-variances if there are any.
  Index outputs() const { return probabilistic ? 2 * targets() : targets(); }
  /// Of the targets, those whose log-variance has bounds: all or none.
  Index bounds() const { return probabilistic ? targets() : 0; }
  Index layers() const { return static_cast<Index>(hidden.size()) + 1; }
  Index layer_inputs(Index layer) const { return layer == 0 ? inputs() : hidden[static_cast<std::size_t>(layer - 1)]; }
  Index layer_outputs(Index layer) const {
    return layer + 1 == layers() ? outputs() : hidden[static_cast<std::size_t>(layer)];
  }
  /// The inputs, the units of each hidden layer, the outputs.
  std::vector<Index> layer_sizes() const;

  /// Throws ValueError, ShapeError naming what does not fit.
  void validate() const;
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
