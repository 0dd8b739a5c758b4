#pragma once

#include "dynaplan/planners/augmented_lagrangian.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// What going on beyond the horizon costs: x^T P x + 2 p^T x of the last whole state, up to a constant.
struct CostBeyond {
  Eigen::MatrixXd curvature;  // P (n, n)
  Eigen::VectorXd slope;      // p (n)

  /// Of a trajectory's last state, discounted to its start.
  double cost(const ExactPlanProblem& problem, const NominalTrajectory& trajectory) const;
};

/// What is charged to a trajectory besides its reward; null where there is nothing.
struct AddedCosts {
  const CostBeyond* beyond = nullptr;
  const AugmentedLagrangian* limits = nullptr;

  bool is_empty() const { return beyond == nullptr && limits == nullptr; }
  double cost(const ExactPlanProblem& problem, const NominalTrajectory& trajectory) const;
};

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
