#pragma once

#include <Eigen/Core>
#include <vector>

#include "dynaplan/planners/reward_differences.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// A terminal value near the end of a trajectory, by central differences: it is a function without derivatives.
class TerminalExpansion {
 public:
  /// Makes room, where the problem has a terminal value; does nothing if there is enough.
  void prepare(const ExactPlanProblem& problem, Derivatives derivatives = Derivatives::kSecond);
  /// Expands the value where the trajectory's last state is; of a trajectory that ends before, or of a problem without
  /// a terminal value, there is nothing.
  void compute(const ExactPlanProblem& problem, const NominalTrajectory& trajectory);

  bool is_zero() const { return is_zero_; }
  const Eigen::VectorXd& gradient() const { return gradient_; }  // (S)
  const Eigen::MatrixXd& hessian() const { return hessian_; }    // (S, S), where second derivatives are wanted

 private:
  bool is_zero_ = true;
  Derivatives derivatives_ = Derivatives::kSecond;
  Eigen::VectorXd gradient_;
  Eigen::MatrixXd hessian_;
  std::vector<double> reaches_;  // (S)
  std::vector<double> points_;   // (count, S)
  std::vector<double> values_;   // (count)
};

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
