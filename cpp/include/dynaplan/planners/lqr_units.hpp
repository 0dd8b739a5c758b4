#pragma once

#include <Eigen/Core>

#include "dynaplan/planners/riccati.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// Units to solve a linear-quadratic problem in: one of state i is 2^state(i) of the problem's own, of action j
/// 2^action(j). Powers of two, so that nothing is rounded on the way there and back.
struct LqrUnits {
  Eigen::VectorXi state;   // (n)
  Eigen::VectorXi action;  // (A)

  /// Those in which each state is worth about as much as actions move it, as in a balanced realisation (Moore 1981), by
  /// the largest products of entries along paths in place of sums; and in which each action costs about 1, by itself
  /// or by what it does. Squares then neither overflow nor vanish, and the result does not depend on the problem's own
  /// units. Ordinary problems are left as they are, units that differ little as they are to each other.
  static LqrUnits balancing(const RiccatiProblem& problem);

  RiccatiProblem enter(const RiccatiProblem& problem) const;
  // The same of a state, of an action, and of what a state is multiplied with.
  Eigen::VectorXd enter_state(const Eigen::VectorXd& values) const;
  Eigen::VectorXd enter_state_slope(const Eigen::VectorXd& slope) const;
  Eigen::VectorXd enter_action_slope(const Eigen::VectorXd& slope) const;
  Eigen::MatrixXd enter_value(const Eigen::MatrixXd& value) const;

  // And back.
  Eigen::VectorXd leave_action(const Eigen::VectorXd& values) const;
  Eigen::VectorXd leave_state_slope(const Eigen::VectorXd& slope) const;
  Eigen::MatrixXd leave_value(const Eigen::MatrixXd& value) const;
  Eigen::MatrixXd leave_gain(const Eigen::MatrixXd& gain) const;
};

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
