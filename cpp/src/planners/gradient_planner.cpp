#include "dynaplan/planners/gradient_planner.hpp"

#include "dynaplan/core/check.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

void require_mean_prediction(const RolloutProblem<double>& rollout) {
  if (rollout.particles.propagation != Propagation::kMean || rollout.particles.count != 1) {
    throw_value_error("propagation", "one that samples",
                      "'mean' with one particle: a gradient-based planner plans by the mean prediction");
  }
  if (rollout.disagreement_limit) {
    throw_value_error("disagreement_limit", "one", "None: a gradient-based planner cannot enforce it");
  }
}

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
