#pragma once

#include <Eigen/Core>
#include <vector>

#include "dynaplan/planners/nominal_trajectory.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// Which limits of how actions change are charged for; the others hold the actions where these are chosen.
enum class ChargedChanges { kNone, kAccelerations, kAccelerationsAndRates };

/// Limits of second differences of the actions, and with them of their changes, as functions of a step that must not be
/// above 0: linear ones of the whole state, which holds the last two actions, and of the action. By the last step
/// actions must be as slow as they can still be stopped before their bounds, as ActionLimiter wants it at each step:
/// where the last step keeps that and all keep the limits, all do.
class AccelerationLimits {
 public:
  void prepare(const ExactPlanProblem& problem, Index horizon, ChargedChanges changes);
  /// Functions of each step; some are below 0 whatever the actions.
  Index count() const { return kRows * static_cast<Index>(dims_.size()); }

  /// By how much a step exceeds its limits, in units that suit costs: (count). The limits are narrower by `margin` of
  /// them, or of the bounds where they are 0.
  void excesses(const ExactPlanProblem& problem, const NominalTrajectory& trajectory, Index step, double margin,
                double* out) const;
  /// The derivatives of one of them by (whole state, action).
  void slope(const ExactPlanProblem& problem, const NominalTrajectory& trajectory, Index step, Index row,
             Eigen::VectorXd& out) const;
  /// How many of the limits, or of the bounds where they are 0, such a unit is.
  double digits(Index row) const {
    const auto limited = static_cast<std::size_t>(row / kRows);
    return units_[limited] / precisions_[limited];
  }
  bool is_kept(const ExactPlanProblem& problem, const NominalTrajectory& trajectory) const;

 private:
  // Two of the second difference, two of the change, and six of the speed that can be stopped: of either sign.
  static constexpr Index kPieces = 3;
  static constexpr Index kRate = 2;
  static constexpr Index kStop = 4;
  static constexpr Index kRows = kStop + 2 * kPieces;
  static constexpr Index kKinds = 3;
  static Index kind_of(Index row) {
    if (row < kRate) return 0;
    return row < kStop ? 1 : 2;
  }

  // How fast an action may still be, as a piece of a function that is linear between whole numbers of steps.
  struct Stop {
    double steps;
    double distance;  // from the action before to the bound
  };
  Stop stop(const ExactPlanProblem& problem, const NominalTrajectory& trajectory, Index step, Index dim, double sign,
            Index piece) const;
  double change(const ExactPlanProblem& problem, const NominalTrajectory& trajectory, Index step, Index dim) const;
  double excess(const ExactPlanProblem& problem, const NominalTrajectory& trajectory, Index step, Index limited,
                Index row) const;
  void relax(const ExactPlanProblem& problem, Index horizon);

  Index state_dim_ = 0;
  Index action_dim_ = 0;
  std::vector<double> accelerations_;  // (A), infinite where free
  std::vector<double> rates_;          // (A), likewise
  std::vector<Index> dims_;            // those that are limited
  std::vector<double> units_;          // of these
  std::vector<double> precisions_;
  // (H, limited dimensions, kinds): second differences, changes, and speeds beyond what can be stopped.
  std::vector<double> allowed_;
};

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
