#pragma once

#include <optional>
#include <vector>

#include "dynaplan/planners/action_widths.hpp"
#include "dynaplan/planners/sampling_planner.hpp"
#include "dynaplan/planners/sequence_noise.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// Model predictive path integral control (Williams et al. 2017, "Information theoretic MPC"): the mean moves to the
/// average of all candidates, weighted by e^(return / temperature).
struct MppiSettings {
  Index horizon = 20;
  Index candidates = 500;
  int iterations = 5;
  ActionWidths initial_std = 0.5;      // of the noise, times half the width of the bounds
  std::vector<double> std_decay{0.7};  // from one iteration to the next: one factor for all, or one for each
  std::optional<double>
      temperature;            // in units of the return; none: the one at which the weights have `effective_samples`
  bool standardised = false;  // the temperature is in standard deviations of the candidates' returns
  double effective_samples = 10.0;     // candidates, 1 / sum of squared weights, where no temperature is given
  double control_cost = 0.0;           // weight of temperature x mean / std^2 x noise, 0 to 1; 1 is Williams et al.'s
  std::vector<double> control_target;  // what the mean is counted from there: one, or (A); empty: the middle
  NoiseSettings noise;

  void validate() const;

 private:
  void validate_decays() const;
};

class Mppi final : public SamplingPlanner {
 public:
  explicit Mppi(const MppiSettings& settings);

  Index horizon() const override { return settings_.horizon; }
  void plan(const PlanProblem& problem, SearchMemory<float>& memory, PlanResult<float>& result) const override;
  void plan(const ExactPlanProblem& problem, SearchMemory<double>& memory, PlanResult<double>& result) const override;

 private:
  template <class T>
  void plan_in(const PlanProblemOf<T>& problem, SearchMemory<T>& memory, PlanResult<T>& result) const;

  MppiSettings settings_;
  NoiseInBothTypes noise_;
  std::vector<Eigen::MatrixXd> precisions_;  // of the noise of each action, (H, H); none: the identity
};

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
