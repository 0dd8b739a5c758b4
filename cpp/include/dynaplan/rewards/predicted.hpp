#pragma once

#include "dynaplan/rewards/reward.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// The reward that the model itself predicts of the step.
template <class T>
class PredictedReward final : public Reward<T> {
 public:
  std::size_t workspace_bytes(Index lanes) const override;
  void add(const StepView<T>& view, Workspace& workspace, T* total) const override;
  void require_dims(Index state_dim, Index action_dim) const override;
  bool needs_prediction() const override { return true; }
};

extern template class PredictedReward<float>;
extern template class PredictedReward<double>;

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
