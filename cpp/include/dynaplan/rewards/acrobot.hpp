#pragma once

#include "dynaplan/core/two_links.hpp"
#include "dynaplan/rewards/reward.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// What Gymnasium's Acrobot pays: -1 for each step after which the tip is not yet more than a link's length above the
/// first hinge.
template <class T>
class AcrobotReward final : public Reward<T> {
 public:
  std::size_t workspace_bytes(Index /*lanes*/) const override { return 0; }
  void add(const StepView<T>& view, Workspace& workspace, T* total) const override;
  void require_dims(Index state_dim, Index action_dim) const override;
  bool has_derivatives() const override { return true; }  // 0, but where it jumps
  void expand(const StepVariables<T>& step, Workspace& workspace, RewardExpansion<T>& out) const override;
};

extern template class AcrobotReward<float>;
extern template class AcrobotReward<double>;

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
