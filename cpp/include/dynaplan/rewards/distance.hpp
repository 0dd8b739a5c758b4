#pragma once

#include <vector>

#include "dynaplan/rewards/step_targets.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// Which entries of a state a distance is between: n of them, `from`, and a point `targets` (n, steps), see
/// StepTargets, or n others, `to`, of which `targets` are then the wanted offsets.
struct DistanceEntries {
  std::vector<Index> from;
  std::vector<Index> to;  // empty: there are none
  Eigen::MatrixXd targets;
};

/// The Euclidean distance between entries of a state, or of entries from a point.
template <class T>
class EntryDistance {
 public:
  /// Throws ShapeError, ValueError.
  explicit EntryDistance(const DistanceEntries& entries);
  /// Each lane's squared distance at `step` into `out` (K).
  void squared(ConstBlock<T> state, Index step, T* out) const;
  /// Each gap of one state, and their squares' sum.
  T gap(const T* state, Index step, std::size_t i) const {
    return state[from_[i]] - (to_.empty() ? T(0) : state[to_[i]]) - targets_.at(step)[i];
  }
  T squared(const T* state, Index step) const;
  /// Adds a times the gaps' product for each pair of them, and b for each with itself, to the Hessian of the entries,
  /// and c times the gaps to their gradient; the entries begin at `first`.
  void add_derivatives(const StepVariables<T>& step, Index first, T of_pairs, T of_each, T of_gaps,
                       RewardExpansion<T>& out) const;
  /// Throws ShapeError unless all entries are there.
  void require_state_dim(Index state_dim) const;
  UseOfStep use_of_step() const { return targets_.use_of_step(); }
  /// Adds where each entry is a radius away from the other end.
  void add_jumps(double radius, Jumps& jumps) const;

 private:
  std::vector<Index> from_;
  std::vector<Index> to_;
  StepTargets<T> targets_;
};

/// -weight * distance: unlike a quadratic it still pulls close to the target.
template <class T>
class DistanceReward final : public Reward<T> {
 public:
  DistanceReward(const DistanceEntries& entries, double weight, At at);
  std::size_t workspace_bytes(Index lanes) const override { return Workspace::bytes<T>(lanes); }
  void add(const StepView<T>& view, Workspace& workspace, T* total) const override;
  void require_dims(Index state_dim, Index action_dim) const override;
  UseOfStep use_of_step() const override { return distance_.use_of_step(); }
  bool has_derivatives() const override { return true; }
  void expand(const StepVariables<T>& step, Workspace& workspace, RewardExpansion<T>& out) const override;

 private:
  EntryDistance<T> distance_;
  T weight_;
  At at_;
};

/// A bonus where the distance is at most a radius, else nothing.
template <class T>
class WithinReward final : public Reward<T> {
 public:
  WithinReward(const DistanceEntries& entries, double radius, double bonus, At at);
  std::size_t workspace_bytes(Index lanes) const override { return Workspace::bytes<T>(lanes); }
  void add(const StepView<T>& view, Workspace& workspace, T* total) const override;
  void require_dims(Index state_dim, Index action_dim) const override;
  UseOfStep use_of_step() const override { return distance_.use_of_step(); }
  void add_jumps(Jumps& jumps) const override { distance_.add_jumps(radius_, jumps); }
  bool has_derivatives() const override { return true; }
  void expand(const StepVariables<T>& step, Workspace& workspace, RewardExpansion<T>& out) const override;

 private:
  EntryDistance<T> distance_;
  double radius_;
  T squared_radius_;
  T bonus_;
  At at_;
};

extern template class EntryDistance<float>;
extern template class EntryDistance<double>;
extern template class DistanceReward<float>;
extern template class DistanceReward<double>;
extern template class WithinReward<float>;
extern template class WithinReward<double>;

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
