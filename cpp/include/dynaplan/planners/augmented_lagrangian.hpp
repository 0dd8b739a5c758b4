#pragma once

#include <vector>

#include "dynaplan/planners/acceleration_limits.hpp"
#include "dynaplan/planners/constraint_steps.hpp"
#include "dynaplan/planners/trajectory_expansion.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// Limits of states and of accelerations, and constraints, as costs of a trajectory whose minima approach the best
/// trajectory within them: the augmented Lagrangian (Hestenes 1969; of inequalities Rockafellar 1974; with differential
/// dynamic programming Plancher, Manchester & Kuindersma 2017). Each is a function g <= 0 of a step, in units of its
/// own, and costs (max(0, multiplier + weight g)^2 - multiplier^2) / (2 weight).
class AugmentedLagrangian {
 public:
  /// Takes the limits of a problem, with multipliers of 0.
  void prepare(const ExactPlanProblem& problem, Index horizon, ChargedChanges changes);
  bool is_empty() const { return count() == 0; }
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
  /// A residual that is none: less than the limits have of a margin.
  static constexpr double kNoResidual = 5e-7;
  /// Whether the limits themselves are kept, which those in the costs are a little within.
  bool is_kept(const ExactPlanProblem& problem, const NominalTrajectory& trajectory) const;
  /// The same of states and constraints alone.
  bool are_steps_allowed(const ExactPlanProblem& problem, const NominalTrajectory& trajectory) const;
  /// By how much and for how long the limits are exceeded, in units of theirs; 0 where they are kept.
  double violation(const ExactPlanProblem& problem, const NominalTrajectory& trajectory) const;
  /// The multipliers of a minimum of the costs; where the residual fell too little, violations weigh more from now on.
  void update(const ExactPlanProblem& problem, const NominalTrajectory& trajectory, bool fell_enough);

  /// Whether two limits of a state are so close that it is held half-way between them at first, where costs are smooth;
  /// until it is released, by when their multipliers are known.
  bool is_holding() const { return is_holding_; }
  void release();

  Index constraints() const { return functions_.count(); }
  bool has_obstacles() const { return !functions_.faces().is_empty(); }
  /// As in ObstacleFaces.
  std::vector<Index> ways_past(const NominalTrajectory& trajectory, Index constraint) const {
    return functions_.faces().ways_past(trajectory, constraint);
  }
  void ignore_obstacles() { functions_.faces().ignore(); }
  void choose_faces(const NominalTrajectory& trajectory, Index constraint, Index face = ObstacleFaces::kDistance) {
    functions_.faces().choose(trajectory, constraint, face);
  }
  /// Other faces for steps that theirs hold and that are beyond these too; false if there are none.
  bool turn_corners(const NominalTrajectory& trajectory);
  /// A step of an obstacle that takes another face, which the step before or after it has.
  struct Turn {
    Index constraint;
    Index step;
    Index face;
  };
  std::vector<Turn> turns() const;
  void take(const Turn& turn);

  /// What is charged, to come back to.
  struct Prices {
    double weight;
    std::vector<double> multipliers;
    ObstacleFaces faces;
  };
  Prices prices() const { return {weight_, multipliers_, functions_.faces()}; }
  void set_prices(const Prices& prices);
  /// All multipliers become 0.
  void forget_prices();

 private:
  // One limit of a state; one of two that are close to each other; half-way between these for the time being, or for
  // good, where they leave no room.
  enum class Kind { kBound, kSide, kMiddle, kFixed };
  struct Limit {
    Kind kind;
    Index entry;
    double sign;       // 1: an upper limit
    double bound;      // of sign x the value; of a middle, how far from it is still kept
    double target;     // of sign x the value, a little within
    double unit;       // in which it is charged for
    double precision;  // in which it is kept
  };

  bool is_active(const Limit& limit) const;
  static bool is_middle(const Limit& limit) { return limit.kind == Kind::kMiddle || limit.kind == Kind::kFixed; }
  void add_limits(Index entry, double low, double high, double state);
  // What a violation by a little more costs: of the n-th function, by its multiplier and excess.
  double price(std::size_t n, double multiplier, double excess) const;
  double digits(std::size_t n) const;
  std::size_t count() const {
    return limits_.size() + units_.size() + static_cast<std::size_t>(accelerations_.count());
  }
  // Of all limits, then of all constraints and accelerations, at each step before the trajectory ends: (length, count).
  std::vector<double> excesses(const ExactPlanProblem& problem, const NominalTrajectory& trajectory) const;
  void add_cost(double price, StepExpansion& expansion) const;

  Index state_dim_ = 0;
  Index action_dim_ = 0;
  double weight_ = 1.0;
  bool is_holding_ = false;
  std::vector<Limit> limits_;  // of each step
  ConstraintSteps functions_;
  std::vector<double> units_;  // of these
  AccelerationLimits accelerations_;
  std::vector<double> multipliers_;  // (H, count)
  Eigen::VectorXd slope_;            // (n + A) of one limit
  Eigen::MatrixXd curvature_;        // (n + A, n + A) of one constraint
  Workspace workspace_;
};

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
