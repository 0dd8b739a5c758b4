#pragma once

#include <vector>

#include "dynaplan/planners/trajectory_expansion.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// Limits of states as costs of a trajectory whose minima approach the best trajectory within the limits: the augmented
/// Lagrangian (Hestenes 1969; of inequalities Rockafellar 1974; with differential dynamic programming Plancher,
/// Manchester & Kuindersma 2017). Each limit is a function g <= 0 of the state after a step, in units of its own, and
/// costs (max(0, multiplier + weight g)^2 - multiplier^2) / (2 weight).
class AugmentedLagrangian {
 public:
  /// Takes the limits of a problem, with multipliers of 0.
  void prepare(const ExactPlanProblem& problem, Index horizon);
  bool is_empty() const { return limits_.empty(); }
  /// What a violation of one unit costs at first, half of it.
  void set_weight(double weight) { weight_ = weight; }

  double cost(const ExactPlanProblem& problem, const NominalTrajectory& trajectory) const;
  /// Adds the cost of a step to its expansion.
  void expand(const NominalTrajectory& trajectory, Index step, StepExpansion& expansion);

  /// How far the trajectory is from the best within the limits, in units of these: the largest violation, or slack of a
  /// limit that has a price (Bertsekas 1982, sec. 3.2).
  double residual(const NominalTrajectory& trajectory) const;
  /// Whether the limits themselves are kept, which those in the costs are a little within.
  bool is_kept(const NominalTrajectory& trajectory) const;
  /// The multipliers of a minimum of the costs; where the residual fell too little, violations weigh more from now on.
  void update(const NominalTrajectory& trajectory, bool fell_enough);

 private:
  struct Limit {
    Index entry;
    double sign;    // 1: an upper limit
    double bound;   // of sign x the value
    double target;  // the same, a little within
    double unit;
  };

  double excess(const NominalTrajectory& trajectory, Index step, const Limit& limit) const;
  template <class Use>
  void for_each(const NominalTrajectory& trajectory, const Use& use) const;

  Index state_dim_ = 0;
  Index action_dim_ = 0;
  double weight_ = 1.0;
  std::vector<Limit> limits_;        // of each step
  std::vector<double> multipliers_;  // (H, limits)
  Eigen::VectorXd slope_;            // (n + A) of one limit
};

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
