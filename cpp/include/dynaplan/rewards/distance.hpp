#pragma once

#include <vector>

#include "dynaplan/rewards/reward.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// Which entries of a state a distance is between: n of them, `from`, and a fixed point `target` (n), or n others,
/// `to`, of which `target` is then the wanted offset.
struct DistanceEntries {
  std::vector<Index> from;
  std::vector<Index> to;  // empty: there are none
  Eigen::VectorXd target;
};

/// The Euclidean distance between entries of a state, or of entries from a point.
template <class T>
class EntryDistance {
 public:
  /// Throws ShapeError, ValueError.
  explicit EntryDistance(const DistanceEntries& entries);
  /// Each lane's squared distance into `out` (K).
  void squared(ConstBlock<T> state, T* out) const;
  /// Each gap of one state, and their squares' sum.
  T gap(const T* state, std::size_t i) const {
    return state[from_[i]] - (to_.empty() ? T(0) : state[to_[i]]) - target_[i];
  }
  T squared(const T* state) const;
  /// Adds a times the gaps' product for each pair of them, and b for each with itself, to the Hessian of the entries,
  /// and c times the gaps to their gradient; the entries begin at `first`.
  void add_derivatives(const T* state, Index first, T of_pairs, T of_each, T of_gaps, RewardExpansion<T>& out) const;
  /// Throws ShapeError unless all entries are there.
  void require_state_dim(Index state_dim) const;

 private:
  std::vector<Index> from_;
  std::vector<Index> to_;
  std::vector<T> target_;
};

/// -weight * distance: unlike a quadratic it still pulls close to the target.
template <class T>
class DistanceReward final : public Reward<T> {
 public:
  DistanceReward(const DistanceEntries& entries, double weight, At at);
  std::size_t workspace_bytes(Index lanes) const override { return Workspace::bytes<T>(lanes); }
  void add(const StepView<T>& view, Workspace& workspace, T* total) const override;
  void require_dims(Index state_dim, Index action_dim) const override;
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
  bool has_derivatives() const override { return true; }
  void expand(const StepVariables<T>& step, Workspace& workspace, RewardExpansion<T>& out) const override;

 private:
  EntryDistance<T> distance_;
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
