#pragma once

#include "dynaplan/core/two_links.hpp"
#include "dynaplan/rewards/reward.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// What Gymnasium's InvertedDoublePendulum pays for the position of the tip, (x, y) after the step:
/// healthy_reward [y > 1] - 0.01 x^2 - (y - 2)^2.
template <class T>
class DoublePendulumReward final : public Reward<T> {
 public:
  explicit DoublePendulumReward(double healthy_reward);
  std::size_t workspace_bytes(Index /*lanes*/) const override { return 0; }
  void add(const StepView<T>& view, Workspace& workspace, T* total) const override;
  void require_dims(Index state_dim, Index action_dim) const override;
  bool has_derivatives() const override { return true; }
  void expand(const StepVariables<T>& step, Workspace& workspace, RewardExpansion<T>& out) const override;

 private:
  T healthy_reward_;
};

extern template class DoublePendulumReward<float>;
extern template class DoublePendulumReward<double>;

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
