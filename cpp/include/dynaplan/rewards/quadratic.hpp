#pragma once

#include <optional>

#include "dynaplan/core/affine.hpp"
#include "dynaplan/rewards/step_targets.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// -(x - x*)^T W (x - x*) as a plain function of a block: one weight an entry, or a whole matrix by its factor.
template <class T>
class QuadraticForm {
 public:
  /// `weights` (n, n), symmetric, positive semi-definite unless diagonal; `targets` (n, steps), see StepTargets. Throws
  /// ShapeError, ValueError.
  QuadraticForm(const Eigen::MatrixXd& weights, const Eigen::MatrixXd& targets);

  Index dim() const { return targets_.dim(); }
  const StepTargets<T>& targets() const { return targets_; }
  std::size_t workspace_bytes(Index lanes) const;
  /// `total` -= the form of each lane of `x` (n, K) at `step`.
  void subtract(ConstBlock<T> x, Index step, Workspace& workspace, T* total) const;

 private:
  // Rows first ... of the upper factor meet only the inputs from `first` on.
  struct Panel {
    Index first;
    PackedAffine<T> rows;
  };

  void subtract_diagonal(ConstBlock<T> x, Index step, T* total) const;

  StepTargets<T> targets_;
  std::vector<T> diagonal_;
  std::vector<Panel> panels_;                      // with the first step's target as their bias
  std::optional<StepTargets<T>> shifted_targets_;  // U (target - first target), of the whole factor U
};

/// -(s - s*)^T W (s - s*), of the state or of the next state.
template <class T>
class QuadraticReward final : public Reward<T> {
 public:
  /// As for QuadraticForm.
  QuadraticReward(const Eigen::MatrixXd& weights, const Eigen::MatrixXd& targets, At at)
      : form_(weights, targets), term_{weights, targets.col(0), at} {}
  std::size_t workspace_bytes(Index lanes) const override;
  void add(const StepView<T>& view, Workspace& workspace, T* total) const override;
  void require_dims(Index state_dim, Index action_dim) const override;
  UseOfStep use_of_step() const override { return form_.targets().use_of_step(); }
  bool take_apart(RewardParts<T>& parts) const override {
    if (form_.targets().vary()) return false;
    parts.of_states.push_back(term_);
    return true;
  }

 private:
  QuadraticForm<T> form_;
  QuadraticTerm term_;
};

extern template class QuadraticForm<float>;
extern template class QuadraticForm<double>;
extern template class QuadraticReward<float>;
extern template class QuadraticReward<double>;

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
