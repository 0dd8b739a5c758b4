#pragma once

#include "dynaplan/core/box.hpp"
#include "dynaplan/rewards/reward.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// A bonus where the state or the next state lies in the box [low, high]; one that is nan lies outside.
template <class T>
class InsideReward final : public Reward<T> {
 public:
  /// `low` and `high` (S), infinite where unbounded. Throws ShapeError, ValueError.
  InsideReward(const Eigen::VectorXd& low, const Eigen::VectorXd& high, double bonus, At at);
  std::size_t workspace_bytes(Index lanes) const override { return Workspace::bytes<T>(lanes); }
  void add(const StepView<T>& view, Workspace& workspace, T* total) const override;
  void require_dims(Index state_dim, Index action_dim) const override;
  void add_jumps(Jumps& jumps) const override { box_.add_jumps(jumps); }
  bool has_derivatives() const override { return true; }
  void expand(const StepVariables<T>& step, Workspace& workspace, RewardExpansion<T>& out) const override;

 private:
  Box<T> box_;
  T bonus_;
  At at_;
};

extern template class InsideReward<float>;
extern template class InsideReward<double>;

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
