#pragma once

#include <vector>

#include "dynaplan/rewards/reward.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// offset + w^T s, of the state or of the next state.
template <class T>
class LinearReward final : public Reward<T> {
 public:
  /// `weights` (S). Throws ValueError unless all are finite.
  LinearReward(const Eigen::VectorXd& weights, double offset, At at);
  std::size_t workspace_bytes(Index /*lanes*/) const override { return 0; }
  void add(const StepView<T>& view, Workspace& workspace, T* total) const override;
  void require_dims(Index state_dim, Index action_dim) const override;
  bool has_derivatives() const override { return true; }
  void expand(const StepVariables<T>& step, Workspace& workspace, RewardExpansion<T>& out) const override;
  bool is_quadratic(const double* /*action_low*/, const double* /*action_high*/) const override { return true; }

 private:
  std::vector<T> weights_;
  T offset_;
  At at_;
};

/// weight * (s'_i - s_i): what one entry of the state gains in a step, as a position does that must move on. Not a sum
/// of two linear rewards: in float32 the difference of two large positions would drown in their products' rounding.
template <class T>
class ChangeReward final : public Reward<T> {
 public:
  ChangeReward(Index index, double weight);
  std::size_t workspace_bytes(Index /*lanes*/) const override { return 0; }
  void add(const StepView<T>& view, Workspace& workspace, T* total) const override;
  void require_dims(Index state_dim, Index action_dim) const override;
  bool has_derivatives() const override { return true; }
  void expand(const StepVariables<T>& step, Workspace& workspace, RewardExpansion<T>& out) const override;
  bool is_quadratic(const double* /*action_low*/, const double* /*action_high*/) const override { return true; }

 private:
  Index index_;
  T weight_;
};

extern template class LinearReward<float>;
extern template class LinearReward<double>;
extern template class ChangeReward<float>;
extern template class ChangeReward<double>;

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
