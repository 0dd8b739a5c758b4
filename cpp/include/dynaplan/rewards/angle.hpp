#pragma once

#include "dynaplan/rewards/step_targets.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// Where an angle stands in the state: entry `first` in radians, or atan2(state[second], state[first]).
struct AngleSource {
  Index first = 0;
  Index second = -1;  // -1: there is none
};

/// -weight * wrap(angle - target)^2, in radians, wrapped to [-pi, pi]; the angle is one state entry, or the direction
/// of two, its cosine and sine (of any length).
template <class T>
class AngleReward final : public Reward<T> {
 public:
  /// `targets` (1, steps), see StepTargets.
  AngleReward(const AngleSource& source, double weight, const Eigen::MatrixXd& targets, At at);
  AngleReward(const AngleSource& source, double weight, double target, At at)
      : AngleReward(source, weight, Eigen::MatrixXd::Constant(1, 1, target), at) {}

  std::size_t workspace_bytes(Index /*lanes*/) const override { return 0; }
  void add(const StepView<T>& view, Workspace& workspace, T* total) const override;
  void require_dims(Index state_dim, Index action_dim) const override;
  UseOfStep use_of_step() const override { return targets_.use_of_step(); }
  bool has_derivatives() const override { return true; }
  void expand(const StepVariables<T>& step, Workspace& workspace, RewardExpansion<T>& out) const override;

 private:
  AngleSource source_;
  T weight_;
  StepTargets<T> targets_;
  At at_;
};

extern template class AngleReward<float>;
extern template class AngleReward<double>;

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
