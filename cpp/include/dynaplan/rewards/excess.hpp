#pragma once

#include <vector>

#include "dynaplan/core/box.hpp"
#include "dynaplan/rewards/reward.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// -sum of w_i e_i^2 with e_i how far entry i of a state is beyond [low_i, high_i]: a limit that may be passed at a
/// price.
template <class T>
class ExcessCost final : public Reward<T> {
 public:
  /// `weights`, `low` and `high` (S), the bounds infinite where there is none. Throws ShapeError, ValueError.
  ExcessCost(const Eigen::VectorXd& weights, const Eigen::VectorXd& low, const Eigen::VectorXd& high, At at);
  std::size_t workspace_bytes(Index /*lanes*/) const override { return 0; }
  void add(const StepView<T>& view, Workspace& workspace, T* total) const override;
  void require_dims(Index state_dim, Index action_dim) const override;
  bool has_derivatives() const override { return true; }
  void expand(const StepVariables<T>& step, Workspace& workspace, RewardExpansion<T>& out) const override;

 private:
  std::vector<T> weights_;
  Box<T> box_;
  At at_;
};

extern template class ExcessCost<float>;
extern template class ExcessCost<double>;

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
