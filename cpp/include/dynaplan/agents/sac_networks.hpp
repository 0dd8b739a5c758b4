#pragma once

#include <cmath>

#include "dynaplan/agents/learned_network.hpp"
#include "dynaplan/networks/activation.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// The sizes of a soft actor-critic's networks: one actor and two critics with the same hidden layers.
struct SacShape {
  Index state_dim = 0;
  Index action_dim = 0;
  std::vector<Index> hidden;
  Activation activation = Activation::kReLU;

  /// From states to means and logarithms of standard deviations.
  std::vector<Index> actor_sizes() const { return sizes(state_dim, 2 * action_dim); }
  /// From states and actions to a value.
  std::vector<Index> critic_sizes() const { return sizes(state_dim + action_dim, 1); }

  /// Throws ShapeError, ValueError.
  void validate() const;

 private:
  std::vector<Index> sizes(Index inputs, Index outputs) const;
};

/// The weight of the entropy, learned as its logarithm.
struct Temperature {
  double logarithm = 0.0;
  double first = 0.0;  // Adam's moments
  double second = 0.0;

  double value() const { return std::exp(logarithm); }
};

/// All that soft actor-critic learns; the critics' target networks give the targets.
template <class T>
struct SacNetworks {
  SacNetworks(const SacShape& shape, std::uint64_t seed, double temperature);

  LearnedNetwork<T> actor;
  LearnedNetwork<T> critics[2];
  Temperature temperature;
  Index updates = 0;  // each of them one step of every optimiser
};

extern template struct SacNetworks<float>;
extern template struct SacNetworks<double>;

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
