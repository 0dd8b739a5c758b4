#pragma once

#include <limits>

#include "dynaplan/planners/gradient_planner.hpp"
#include "dynaplan/planners/regularisation.hpp"
#include "dynaplan/planners/watch.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// One plan of iLQR on its way: the iterations in ilqr_run.cpp, what limits add to them in ilqr_limits.cpp. Rates hold
/// the actions where these are chosen, or are `charged` for, as accelerations are: held actions cannot steady a system.
class IlqrRun {
 public:
  IlqrRun(const IlqrSettings& settings, const ExactPlanProblem& problem, const CostBeyond* beyond,
          TrajectoryMemory& memory, TrajectoryPlan& result, bool charges_rates);

  void run();

 private:
  void start_with_feedback();
  PlanStatus improve();
  bool make_step();
  double little() const;
  bool is_optimal() const;
  bool escape();
  double largest_change() const;
  bool derive();
  bool find_policy();
  bool find_policy(bool convex);
  double search();
  void count(const ForwardPass::Count& counted);
  void write_gains();
  void write_plan();

  PlanStatus improve_within_limits();
  void hold();
  PlanStatus improve_prices();
  bool is_settled();
  PlanStatus improve_past_obstacles();
  bool enters_obstacle(const NominalTrajectory& trajectory) const;
  bool pass_obstacles(const NominalTrajectory& from, NominalTrajectory& best);
  PlanStatus improve_around_corners();
  PlanStatus improve_turns(PlanStatus status);
  void begin_at(const NominalTrajectory& trajectory);
  bool charges_changes() const { return charges_rates_ || problem_.action_acceleration != nullptr; }
  const ExactPlanProblem& charged_problem();
  void keep_changes();
  void take_best_kept();
  // The return of the trajectory stays, what is charged for its limits changes.
  template <class Set>
  void set_prices(const Set& set) {
    const double cost = memory_.limits.cost(problem_, memory_.nominal);
    set();
    memory_.nominal.total += cost - memory_.limits.cost(problem_, memory_.nominal);
    is_expanded_ = false;
  }

  static constexpr int kMaxPrices = 20;
  static constexpr double kNone = -std::numeric_limits<double>::infinity();
  const IlqrSettings& settings_;
  const bool charges_rates_;
  const ExactPlanProblem& given_;
  std::vector<double> free_rates_;                 // (A), where rates are charged for
  std::optional<ExactPlanProblem> without_rates_;  // likewise
  const ExactPlanProblem& problem_;
  AddedCosts added_;
  TrajectoryMemory& memory_;
  TrajectoryPlan& result_;
  Regularisation regularisation_;
  Watch deriving_;
  Watch searching_;
  double unit_ = 1.0;    // of rewards
  double weight_ = 1.0;  // of violations at first
  int max_prices_ = kMaxPrices;
  bool is_expanded_ = false;
  bool has_policy_ = false;
  double tolerance_ = settings_.tolerance;
  int slow_ = 0;  // iterations in a row that gained little
  bool is_checked_ = false;
  int last_iteration_ = settings_.iterations;
  bool is_convex_ = false;  // what bends costs downwards is left out, since the last step failed
};

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
