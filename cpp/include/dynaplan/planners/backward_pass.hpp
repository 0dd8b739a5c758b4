#pragma once

#include <Eigen/Core>
#include <vector>

#include "dynaplan/core/dense.hpp"
#include "dynaplan/planners/added_costs.hpp"
#include "dynaplan/planners/box_quadratic.hpp"
#include "dynaplan/planners/terminal_expansion.hpp"
#include "dynaplan/planners/trajectory_expansion.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// How the action of a step should change: by `change`, and by `gain` times the change of the whole state.
struct LocalPolicy {
  Eigen::VectorXd change;  // (A)
  Eigen::MatrixXd gain;    // (A, n)
};

/// From the last step to the first: the best change of each action by the expansion, within the bounds, if those after
/// it change for the best too (Tassa, Mansard & Todorov 2014).
class BackwardPass {
 public:
  /// Makes room; does nothing if there is enough.
  void prepare(const WholeState& whole, Index horizon);

  /// Returns false if a step's cost does not grow in every direction that its action is free to move in, or is not
  /// finite. `regularisation` is added to the cost for a change of half the width of the bounds; `convex` leaves out
  /// what bends the cost of a step downwards, `bounded` false the bounds.
  bool run(const ExactPlanProblem& problem, const NominalTrajectory& trajectory, const TrajectoryExpansion& expansion,
           const TerminalExpansion& terminal, const CostBeyond* beyond, double regularisation, bool convex,
           bool bounded = true);

  /// How much the cost from a step on may change, to second order, with a change of one of its actions by half the
  /// width of the bounds: the most in the last run.
  double size() const { return size_; }

  /// How much the return may change, to first order, with changes of the actions by half the width of the bounds, as
  /// far as these allow.
  double steepness() const { return steepness_; }

  /// The size of the terms that the cost from a state on is the sum of, for states as large as the trajectory's.
  double magnitude(const NominalTrajectory& trajectory);

  const LocalPolicy& policy(Index step) const { return policies_[static_cast<std::size_t>(step)]; }
  /// By how much the return should grow if all changes are made to a `share`.
  double promise(double share) const { return -share * (slope_ + 0.5 * share * curvature_); }

 private:
  void find_bounds(const ExactPlanProblem& problem, const NominalTrajectory& trajectory, Index t, bool bounded);
  void find_gain(LocalPolicy& policy);
  void begin(const ExactPlanProblem& problem, const NominalTrajectory& trajectory, const TerminalExpansion& terminal,
             const CostBeyond* beyond, bool convex);
  bool step(double discount, const StepExpansion& expansion, double regularisation, bool convex, LocalPolicy& policy);
  void make_convex(const Eigen::MatrixXd& curvature, Eigen::MatrixXd& convex);

  WholeState whole_;
  std::vector<LocalPolicy> policies_;
  BoxQuadratic quadratic_;
  Eigen::MatrixXd joined_;         // [F G] (n, n + A)
  Eigen::MatrixXd product_;        // V'' [F G]
  Eigen::MatrixXd hessian_;        // of the cost from here on, by (x, u)
  Eigen::VectorXd gradient_;       // likewise
  Eigen::MatrixXd of_action_;      // its block by u, regularised
  Eigen::VectorXd action_slope_;   // by u
  Eigen::MatrixXd value_hessian_;  // of the cost from the next step on
  Eigen::VectorXd value_gradient_;
  Eigen::MatrixXd held_;            // the cost's Hessian by u, times the gain
  std::vector<char> low_is_rate_;   // (A) whether the bound below is one of the action before
  std::vector<char> high_is_rate_;  // likewise above
  Eigen::VectorXd low_;
  Eigen::VectorXd high_;
  Eigen::MatrixXd convex_;
  SymmetricEigenSolver eigen_;
  Eigen::VectorXd largest_;  // (n) of each entry of the states
  double size_ = 0.0;
  double steepness_ = 0.0;
  double slope_ = 0.0;
  double curvature_ = 0.0;
};

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
