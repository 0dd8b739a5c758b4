#include "dynaplan/planners/added_costs.hpp"

#include <cmath>

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

double CostBeyond::cost(const ExactPlanProblem& problem, const NominalTrajectory& trajectory) const {
  const WholeState whole = WholeState::of(problem);
  const Index horizon = trajectory.horizon(whole.action_dim);
  const auto entry = [&](Index i) { return whole.entry(problem, trajectory, horizon, i); };
  double sum = 0.0;
  for (Index i = 0; i < whole.size(); ++i) {
    double row = 2.0 * slope(i);
    for (Index j = 0; j < whole.size(); ++j) row += curvature(i, j) * entry(j);
    sum += entry(i) * row;
  }
  return std::pow(problem.rollout.discount, static_cast<double>(horizon)) * sum;
}

double AddedCosts::cost(const ExactPlanProblem& problem, const NominalTrajectory& trajectory) const {
  double sum = 0.0;
  if (beyond != nullptr) sum += beyond->cost(problem, trajectory);
  if (limits != nullptr) sum += limits->cost(problem, trajectory);
  return sum;
}

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
