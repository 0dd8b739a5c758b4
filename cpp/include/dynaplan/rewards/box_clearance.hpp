#pragma once

#include <vector>

#include "dynaplan/rewards/clearance.hpp"
#include "dynaplan/rewards/step_targets.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// A box that some entries of a state must stay clear of: its bounds, a column a step.
struct EntryBox {
  std::vector<Index> entries;
  Eigen::MatrixXd low;   // (n, steps), see StepTargets
  Eigen::MatrixXd high;  // likewise
};

/// How much a point lacks to be outside a box, or inside it; 0 or less where it is.
template <class T>
class BoxClearance final : public Reward<T> {
 public:
  BoxClearance(const EntryBox& box, const Clearance& clearance, At at);
  std::size_t workspace_bytes(Index lanes) const override { return 2 * Workspace::bytes<T>(lanes); }
  void add(const StepView<T>& view, Workspace& workspace, T* total) const override;
  void require_dims(Index state_dim, Index action_dim) const override;
  UseOfStep use_of_step() const override { return std::max(low_.use_of_step(), high_.use_of_step()); }
  bool has_derivatives() const override { return true; }
  std::size_t expansion_bytes(Index variables) const override;
  void expand(const StepVariables<T>& step, Workspace& workspace, RewardExpansion<T>& out) const override;

  bool is_outside() const { return sign_ < T(0); }
  At at() const { return at_; }
  T margin() const { return margin_; }
  /// Two of each entry: above the box, then below it.
  Index faces() const { return 2 * static_cast<Index>(entries_.size()); }
  /// By how much a state (S) lacks to be as far beyond one face as it must be outside.
  T lack(const T* state, Index step, Index face) const;
  /// Adds the same, and its derivatives.
  void expand_face(const StepVariables<T>& step, Index face, RewardExpansion<T>& out) const;

 private:
  std::vector<Index> entries_;
  StepTargets<T> low_;
  StepTargets<T> high_;
  T sign_;
  T margin_;
  At at_;
};

extern template class BoxClearance<float>;
extern template class BoxClearance<double>;

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
