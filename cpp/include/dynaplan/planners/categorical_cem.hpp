#pragma once

#include "dynaplan/planners/sampling_planner.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// The cross-entropy method over a finite set of actions (Rubinstein 1999, sec. 4): each step has a probability for
/// each choice, refitted to the elites' frequencies.
struct CategoricalCemSettings {
  Index horizon = 20;
  Index candidates = 200;
  Index elites = 20;
  int iterations = 5;
  double smoothing = 0.1;         // share of the old probabilities that is kept
  double min_probability = 0.01;  // times 1 / choices: what every choice keeps at least
  bool returns_mode = false;      // the most probable choices instead of the best sequence seen

  void validate() const;
};

class CategoricalCem final : public SamplingPlanner {
 public:
  /// `choices` (n, A), the actions to choose from at each step. Throws ShapeError, ValueError.
  CategoricalCem(const CategoricalCemSettings& settings, const Eigen::MatrixXd& choices);

  Index horizon() const override { return settings_.horizon; }

  /// Each choice of the warm start begins with half the probability of its step.
  void plan(const PlanProblem& problem, SearchMemory& memory, PlanResult& result) const override;

  /// Writes the choices as they were given, which float32 need not hold.
  void copy_actions(const PlanProblem& problem, const PlanResult& result, double* out) const override;

 private:
  using Choices = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

  CategoricalCemSettings settings_;
  Eigen::MatrixXd given_;  // (n, A)
  Choices choices_;        // the same in float32
};

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
