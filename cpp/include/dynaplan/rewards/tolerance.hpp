#pragma once

#include "dynaplan/rewards/reward.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// How a tolerance falls off outside its bounds, d margins away, to v at d = 1: v^(d^2), or max(0, 1 - (1 - v) d^2).
enum class Falloff { kGaussian, kQuadratic };

/// Where a tolerance is 1, and what is left of it beyond.
struct ToleranceSettings {
  double low = 0.0;
  double high = 0.0;
  double margin = 1.0;
  double value_at_margin = 0.1;
  Falloff falloff = Falloff::kGaussian;
};

/// Which array of a step an entry is in.
enum class From { kState, kNextState, kAction };

/// 1 where an entry lies in [low, high], falling to 0 outside: dm_control's `rewards.tolerance`.
template <class T>
class ToleranceReward final : public Reward<T> {
 public:
  /// Throws ValueError where a setting is out of range.
  ToleranceReward(Index index, From from, const ToleranceSettings& settings);
  std::size_t workspace_bytes(Index lanes) const override { return Workspace::bytes<T>(lanes); }
  void add(const StepView<T>& view, Workspace& workspace, T* total) const override;
  void require_dims(Index state_dim, Index action_dim) const override;
  bool has_derivatives() const override { return true; }
  void expand(const StepVariables<T>& step, Workspace& workspace, RewardExpansion<T>& out) const override;

 private:
  Index index_;
  From from_;
  Falloff falloff_;
  T low_;
  T high_;
  T scale_;  // of the squared distance: the falloff is exp(scale d^2) or max(0, 1 + scale d^2)
};

extern template class ToleranceReward<float>;
extern template class ToleranceReward<double>;

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
