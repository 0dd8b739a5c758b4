#pragma once

#include "dynaplan/rewards/quadratic.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// -(a - a*)^T W (a - a*), of the action clipped to [low, high] as an environment would clip it.
template <class T>
class ActionCost final : public Reward<T> {
 public:
  /// `targets` (A, steps), see StepTargets; `low` and `high` (A), infinite where nothing is clipped.
  ActionCost(const Eigen::MatrixXd& weights, const Eigen::MatrixXd& targets, const Eigen::VectorXd& low,
             const Eigen::VectorXd& high);
  ActionCost(const Eigen::MatrixXd& weights, const Eigen::VectorXd& low, const Eigen::VectorXd& high)
      : ActionCost(weights, Eigen::VectorXd::Zero(weights.rows()), low, high) {}
  std::size_t workspace_bytes(Index lanes) const override;
  void add(const StepView<T>& view, Workspace& workspace, T* total) const override;
  void require_dims(Index state_dim, Index action_dim) const override;
  UseOfStep use_of_step() const override { return form_.targets().use_of_step(); }
  bool has_derivatives() const override { return true; }
  void expand(const StepVariables<T>& step, Workspace& workspace, RewardExpansion<T>& out) const override;
  bool is_quadratic(const double* action_low, const double* action_high) const override;
  bool take_apart(RewardParts<T>& parts) const override {
    parts.of_actions.push_back(this);
    return true;
  }

 private:
  QuadraticForm<T> form_;
  std::vector<T> low_;
  std::vector<T> high_;
  bool clips_ = false;
};

/// -(a - a_previous)^T W (a - a_previous): the price of moving the actuators.
template <class T>
class ActionChangeCost final : public Reward<T> {
 public:
  explicit ActionChangeCost(const Eigen::MatrixXd& weights);
  std::size_t workspace_bytes(Index lanes) const override;
  void add(const StepView<T>& view, Workspace& workspace, T* total) const override;
  void require_dims(Index state_dim, Index action_dim) const override;
  bool needs_previous_action() const override { return true; }
  bool has_derivatives() const override { return true; }
  void expand(const StepVariables<T>& step, Workspace& workspace, RewardExpansion<T>& out) const override;
  bool is_quadratic(const double* /*action_low*/, const double* /*action_high*/) const override { return true; }
  bool take_apart(RewardParts<T>& parts) const override {
    parts.of_actions.push_back(this);
    return true;
  }

 private:
  QuadraticForm<T> form_;
};

extern template class ActionCost<float>;
extern template class ActionCost<double>;
extern template class ActionChangeCost<float>;
extern template class ActionChangeCost<double>;

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
