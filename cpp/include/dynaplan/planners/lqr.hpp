#pragma once

#include <vector>

#include "dynaplan/planners/ilqr.hpp"
#include "dynaplan/planners/riccati.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// x' = A x + B u + c with the cost x^T Q x + u^T R u + 2 x^T N u + 2 q^T x + 2 r^T u of each step, each weighing
/// `discount` times the one before.
struct LinearQuadratic {
  RiccatiProblem terms;  // A, B, Q, R, N
  Eigen::VectorXd constant;
  Eigen::VectorXd state_slope;
  Eigen::VectorXd action_slope;
  double discount = 1.0;

  /// The same about other origins: of the state, `state_target`, and of the action, `action_target`.
  void set_targets(const Eigen::VectorXd& state_target, const Eigen::VectorXd& action_target);
  /// Throws ShapeError, ValueError where the parts do not fit each other, are not finite or not symmetric.
  void validate() const;
};

/// The best action k - K x, and what all costs from x on come to: x^T P x + 2 p^T x + a constant.
struct Regulator {
  Eigen::MatrixXd gain;    // K (A, n)
  Eigen::VectorXd offset;  // k (A)
  Eigen::MatrixXd value;   // P (n, n)
  Eigen::VectorXd slope;   // p (n)
};

/// The regulator of an infinite horizon. Throws NumericalError where there is none.
Regulator infinite_horizon_regulator(const LinearQuadratic& problem);

/// The regulators of `horizon` steps, the last of which leads to the cost `final_value`, of x less `final_target`; then
/// one more, of which only the value counts. Throws NumericalError where a step has no best action.
std::vector<Regulator> finite_regulators(const LinearQuadratic& problem, Index horizon,
                                         const Eigen::MatrixXd& final_value, const Eigen::VectorXd& final_target,
                                         const Interrupt* interrupt = nullptr);

/// The linear-quadratic regulator as a planner: of linear dynamics and a quadratic reward it finds the best plan there
/// is. Where that would leave the bounds of the actions, the bounds are heeded as in iLQR.
struct LqrSettings {
  Index horizon = 30;
  bool infinite_horizon = false;  // what comes after the horizon counts too

  void validate() const;
};

class Lqr final : public GradientPlanner {
 public:
  explicit Lqr(const LqrSettings& settings);

  Index horizon() const override { return settings_.horizon; }
  /// Throws ValueError where the problem is not linear-quadratic, NumericalError where it has no solution.
  void plan(const ExactPlanProblem& problem, TrajectoryMemory& memory, TrajectoryPlan& result) const override;

 private:
  LqrSettings settings_;
};

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
