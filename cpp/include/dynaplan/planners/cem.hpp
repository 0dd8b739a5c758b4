#pragma once

#include "dynaplan/planners/candidates.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// The cross-entropy method (Rubinstein 1999; for planning Chua et al. 2018): draw candidates from a Gaussian, refit
/// it to the elites, repeat.
struct CemSettings {
  Index horizon = 22;
  Index candidates = 500;
  Index elites = 50;
  int iterations = 5;
  double smoothing = 0.1;    // share of the old mean and standard deviation that is kept
  double initial_std = 0.5;  // times half the width of the bounds
  double min_std = 0.05;     // likewise
  bool returns_mean = false;

  void validate() const;
};

/// What CEM carries from iteration to iteration; kept between calls for its memory alone.
struct CemWorkspace {
  Candidates candidates;
  std::vector<float> mean;  // (H, A)
  std::vector<float> std;   // (H, A)
  std::vector<float> elite_mean;
  std::vector<float> squares;
  std::vector<float> best;
};

/// Plans into `result`; `workspace` and `result` keep their memory, so that a second call allocates nothing.
void plan_cem(const CemSettings& settings, const PlanProblem& problem, CemWorkspace& workspace, PlanResult& result);

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
