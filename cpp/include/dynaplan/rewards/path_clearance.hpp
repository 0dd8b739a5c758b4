#pragma once

#include "dynaplan/rewards/clearance.hpp"
#include "dynaplan/rewards/polyline.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// How much a point lacks to be outside the tube around a path, or inside it; 0 or less where it is.
template <class T>
class PathClearance final : public Reward<T> {
 public:
  /// `radius` is that of the tube.
  PathClearance(const EntryPath& path, double radius, const Clearance& clearance, At at);
  std::size_t workspace_bytes(Index lanes) const override {
    return Workspace::bytes<T>(lanes) + path_.nearest_bytes(lanes);
  }
  void add(const StepView<T>& view, Workspace& workspace, T* total) const override;
  void require_dims(Index state_dim, Index /*action_dim*/) const override { path_.require_state_dim(state_dim); }
  bool has_derivatives() const override { return true; }
  std::size_t expansion_bytes(Index variables) const override;
  void expand(const StepVariables<T>& step, Workspace& workspace, RewardExpansion<T>& out) const override;

 private:
  Polyline<T> path_;
  T radius_;
  T sign_;
  T margin_;
  At at_;
};

extern template class PathClearance<float>;
extern template class PathClearance<double>;

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
