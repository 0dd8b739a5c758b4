#pragma once

#include "dynaplan/rewards/clearance.hpp"
#include "dynaplan/rewards/distance.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// How much some entries of a state lack to be outside a ball, or inside it; 0 or less where they are.
template <class T>
class BallClearance final : public Reward<T> {
 public:
  /// The ball's centre is what the distance is to.
  BallClearance(const DistanceEntries& entries, double radius, const Clearance& clearance, At at);
  std::size_t workspace_bytes(Index lanes) const override { return Workspace::bytes<T>(lanes); }
  void add(const StepView<T>& view, Workspace& workspace, T* total) const override;
  void require_dims(Index state_dim, Index action_dim) const override;
  UseOfStep use_of_step() const override { return distance_.use_of_step(); }
  bool has_derivatives() const override { return true; }
  void expand(const StepVariables<T>& step, Workspace& workspace, RewardExpansion<T>& out) const override;

 private:
  EntryDistance<T> distance_;
  Index first_entry_;
  T radius_;
  T sign_;
  T margin_;
  At at_;
};

extern template class BallClearance<float>;
extern template class BallClearance<double>;

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
