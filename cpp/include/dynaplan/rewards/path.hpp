#pragma once

#include "dynaplan/rewards/polyline.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// -weight * squared distance from a path: the error across it.
template <class T>
class PathError final : public Reward<T> {
 public:
  PathError(const EntryPath& path, double weight, At at);
  std::size_t workspace_bytes(Index lanes) const override {
    return Workspace::bytes<T>(lanes) + path_.nearest_bytes(lanes);
  }
  void add(const StepView<T>& view, Workspace& workspace, T* total) const override;
  void require_dims(Index state_dim, Index /*action_dim*/) const override { path_.require_state_dim(state_dim); }
  bool has_derivatives() const override { return true; }
  std::size_t expansion_bytes(Index /*variables*/) const override { return path_.place_bytes(); }
  void expand(const StepVariables<T>& step, Workspace& workspace, RewardExpansion<T>& out) const override;

 private:
  Polyline<T> path_;
  T weight_;
  At at_;
};

/// weight * how much further along a path the nearest point is after the step.
template <class T>
class PathProgress final : public Reward<T> {
 public:
  PathProgress(const EntryPath& path, double weight);
  std::size_t workspace_bytes(Index lanes) const override {
    return 3 * Workspace::bytes<T>(lanes) + path_.nearest_bytes(lanes);
  }
  void add(const StepView<T>& view, Workspace& workspace, T* total) const override;
  void require_dims(Index state_dim, Index /*action_dim*/) const override { path_.require_state_dim(state_dim); }
  bool has_derivatives() const override { return true; }
  std::size_t expansion_bytes(Index /*variables*/) const override { return path_.place_bytes(); }
  void expand(const StepVariables<T>& step, Workspace& workspace, RewardExpansion<T>& out) const override;

 private:
  Polyline<T> path_;
  T weight_;
};

extern template class PathError<float>;
extern template class PathError<double>;
extern template class PathProgress<float>;
extern template class PathProgress<double>;

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
