#pragma once

#include <vector>

#include "dynaplan/planners/planner.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// The trajectory that a gradient-based planner improves.
struct NominalTrajectory {
  std::vector<double> states;   // (H + 1, S)
  std::vector<double> actions;  // (H, A)
  double value = 0.0;           // its return
  double total = 0.0;           // that less what is charged besides
  Index length = 0;             // steps made before it ends
  bool ends = false;            // by then; else the horizon does

  Index horizon(Index action_dim) const { return static_cast<Index>(actions.size()) / action_dim; }
  const double* state(Index step, Index state_dim) const { return states.data() + step * state_dim; }
  const double* action(Index step, Index action_dim) const { return actions.data() + step * action_dim; }
};

/// What such a planner calls its state: the system's, and below it, where the reward or a limit looks at the action one
/// step earlier, that action, and below that, where accelerations are limited, the action before it.
struct WholeState {
  Index state_dim = 0;
  Index action_dim = 0;
  bool has_previous_action = false;
  bool has_earlier_action = false;  // never without the previous one

  static WholeState of(const ExactPlanProblem& problem);
  Index actions() const {
    if (has_earlier_action) return 2;
    return has_previous_action ? 1 : 0;
  }
  Index size() const { return state_dim + actions() * action_dim; }
  /// One entry of it where the trajectory is at `step`, and the action that leads there counts as the previous one.
  double entry(const ExactPlanProblem& problem, const NominalTrajectory& trajectory, Index step, Index i) const;
};

/// What the reward of a step depends on, laid out as in StepVariables: 2 (S + A) numbers.
void write_variables(const ExactPlanProblem& problem, const NominalTrajectory& trajectory, Index step, double* out);

/// After how many steps a trajectory ends by the problem's termination or score; none if it does not.
std::optional<Index> end_of(const ExactPlanProblem& problem, const NominalTrajectory& trajectory, Workspace& workspace);
/// Scratch that `end_of` takes.
std::size_t end_bytes(const ExactPlanProblem& problem);

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
