#pragma once

#include <doctest/doctest.h>

#include <cmath>

#include "dynaplan/models/central_differences.hpp"
#include "dynaplan/models/linear.hpp"
#include "tiles.hpp"

namespace dynaplan_test {

inline constexpr dynaplan::Index kLanes = 16;  // whole vectors of either type

// Dynamics of two states with all products of pairs unless `degree` is 1, random weights of some size, and noise.
template <class T>
dynaplan::LinearDynamics<T> two_states(Index actions, int degree, unsigned seed, double size, double noise) {
  const dynaplan::PolynomialFeatures features(2 + actions, degree);
  const Eigen::MatrixXd weights = size * random_matrix(2, 2 + actions + features.products_count(), seed);
  return {2, features, weights, Eigen::Vector2d(0.5, -0.1), noise * Eigen::MatrixXd::Identity(2, 2)};
}

inline void check_near(const Tile<double>& got, const Tile<double>& expected, Index rows, double tolerance) {
  for (Index row = 0; row < rows; ++row) {
    for (Index k = 0; k < kLanes; ++k) CHECK(std::abs(got(row, k) - expected(row, k)) < tolerance);
  }
}

// The derivatives of any dynamics are those of central differences.
inline void check_jacobians(const dynaplan::Dynamics<double>& dynamics, double tolerance) {
  const Index states = dynamics.state_dim();
  const Index actions = dynamics.action_dim();
  const Tile<double> state(states, kLanes, 3);
  const Tile<double> action(actions, kLanes, 4);
  Tile<double> next[] = {{states, kLanes}, {states, kLanes}};
  Tile<double> of_state[] = {{states * states, kLanes}, {states * states, kLanes}};
  Tile<double> of_action[] = {{states * actions, kLanes}, {states * actions, kLanes}};
  dynaplan::Workspace workspace;
  workspace.reserve(dynamics.jacobians_workspace_bytes(kLanes) + dynaplan::central_differences_bytes(dynamics, kLanes));
  dynamics.jacobians(state.view(), action.view(), workspace,
                     {next[0].block(), of_state[0].block(), of_action[0].block()});
  dynaplan::central_differences(dynamics, state.view(), action.view(), workspace,
                                {next[1].block(), of_state[1].block(), of_action[1].block()});
  for (Index k = 0; k < kLanes; ++k) {
    for (Index row = 0; row < states; ++row) CHECK(next[0](row, k) == doctest::Approx(next[1](row, k)));
  }
  check_near(of_state[0], of_state[1], states * states, tolerance);
  check_near(of_action[0], of_action[1], states * actions, tolerance);
}

}  // namespace dynaplan_test
