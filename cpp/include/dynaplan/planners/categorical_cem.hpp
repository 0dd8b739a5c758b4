#pragma once

#include "dynaplan/planners/sampling_planner.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// The actions to choose from, a row each.
template <class T>
using ChoicesOf = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

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
  void plan(const PlanProblem& problem, SearchMemory<float>& memory, PlanResult<float>& result) const override;
  void plan(const ExactPlanProblem& problem, SearchMemory<double>& memory, PlanResult<double>& result) const override;

  /// Writes the choices as they were given, which float32 need not hold.
  void copy_actions(const PlanProblem& problem, const PlanResult<float>& result, double* out) const override;
  void copy_actions(const ExactPlanProblem& problem, const PlanResult<double>& result, double* out) const override;

 private:
  template <class T>
  const ChoicesOf<T>& choices() const;
  template <class T>
  void plan_in(const PlanProblemOf<T>& problem, SearchMemory<T>& memory, PlanResult<T>& result) const;
  template <class T>
  void search(const PlanProblemOf<T>& problem, SearchMemory<T>& memory, PlanResult<T>& result) const;

  template <class T>
  void copy_choices(const PlanProblemOf<T>& problem, const PlanResult<T>& result, double* out) const;

  CategoricalCemSettings settings_;
  ChoicesOf<float> single_choices_;
  ChoicesOf<double> exact_choices_;
};

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
