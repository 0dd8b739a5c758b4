#pragma once

#include <vector>

#include "dynaplan/planners/constraint_steps.hpp"
#include "dynaplan/planners/trajectory_expansion.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// Limits of states and constraints as costs of a trajectory whose minima approach the best trajectory within them: the
/// augmented Lagrangian (Hestenes 1969; of inequalities Rockafellar 1974; with differential dynamic programming
/// Plancher, Manchester & Kuindersma 2017). Each is a function g <= 0 of a step, in units of its own, and costs
/// (max(0, multiplier + weight g)^2 - multiplier^2) / (2 weight).
class AugmentedLagrangian {
 public:
  /// Takes the limits of a problem, with multipliers of 0.
  void prepare(const ExactPlanProblem& problem, Index horizon);
  bool is_empty() const { return limits_.empty() && functions_.count() == 0; }
  /// Constraints in units of the largest value that they have on the way.
  void set_units(const ExactPlanProblem& problem, const NominalTrajectory& trajectory);
  /// What a violation of one unit costs at first, half of it.
  void set_weight(double weight) { weight_ = weight; }

  double cost(const ExactPlanProblem& problem, const NominalTrajectory& trajectory) const;
  /// Adds the costs of all steps to their expansions.
  void expand(const ExactPlanProblem& problem, const NominalTrajectory& trajectory, TrajectoryExpansion& expansion);

  /// What all costs of each step change by with its variables, laid out as in StepVariables, to `out` (length,
  /// 2 (S + A)).
  void write_slopes(const ExactPlanProblem& problem, const NominalTrajectory& trajectory, std::vector<double>& out);

  /// How far the trajectory is from the best within the limits, in units of these: the largest violation, or slack of a
  /// limit that has a price (Bertsekas 1982, sec. 3.2).
  double residual(const ExactPlanProblem& problem, const NominalTrajectory& trajectory) const;
  /// Whether the limits themselves are kept, which those in the costs are a little within.
  bool is_kept(const ExactPlanProblem& problem, const NominalTrajectory& trajectory) const;
  /// By how much and for how long the limits are exceeded, in units of theirs; 0 where they are kept.
  double violation(const ExactPlanProblem& problem, const NominalTrajectory& trajectory) const;
  /// The multipliers of a minimum of the costs; where the residual fell too little, violations weigh more from now on.
  void update(const ExactPlanProblem& problem, const NominalTrajectory& trajectory, bool fell_enough);

 private:
  struct Limit {
    Index entry;
    double sign;    // 1: an upper limit
    double bound;   // of sign x the value
    double target;  // the same, a little within
    double unit;
  };

  std::size_t count() const { return limits_.size() + units_.size(); }
  // Of all limits, then of all constraints, at each step before the trajectory ends: (length, count).
  std::vector<double> excesses(const ExactPlanProblem& problem, const NominalTrajectory& trajectory) const;
  void add_cost(double price, StepExpansion& expansion) const;

  Index state_dim_ = 0;
  Index action_dim_ = 0;
  double weight_ = 1.0;
  std::vector<Limit> limits_;  // of each step
  ConstraintSteps functions_;
  std::vector<double> units_;        // of these
  std::vector<double> multipliers_;  // (H, count)
  Eigen::VectorXd slope_;            // (n + A) of one limit
  Eigen::MatrixXd curvature_;        // (n + A, n + A) of one constraint
  Workspace workspace_;
};

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
