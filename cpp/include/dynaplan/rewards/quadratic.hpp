#pragma once

#include <optional>

#include "dynaplan/core/affine.hpp"
#include "dynaplan/rewards/reward.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// -(x - x*)^T W (x - x*) as a plain function of a block: one weight an entry, or a whole matrix by its factor.
template <class T>
class QuadraticForm {
 public:
  /// `weights` (n, n), symmetric, positive semi-definite unless diagonal; `target` (n). Throws ShapeError, ValueError.
  QuadraticForm(const Eigen::MatrixXd& weights, const Eigen::VectorXd& target);

  Index dim() const { return static_cast<Index>(target_.size()); }
  std::size_t workspace_bytes(Index lanes) const;
  /// `total` -= the form of each lane of `x` (n, K).
  void subtract(ConstBlock<T> x, Workspace& workspace, T* total) const;

 private:
  // Rows first ... of the upper factor meet only the inputs from `first` on.
  struct Panel {
    Index first;
    PackedAffine<T> rows;
  };

  void subtract_diagonal(ConstBlock<T> x, T* total) const;

  std::vector<T> target_;
  std::vector<T> diagonal_;
  std::vector<Panel> panels_;
};

/// -(s - s*)^T W (s - s*), of the state or of the next state.
template <class T>
class QuadraticReward final : public Reward<T> {
 public:
  QuadraticReward(const Eigen::MatrixXd& weights, const Eigen::VectorXd& target, At at)
      : form_(weights, target), term_{weights, target, at} {}
  std::size_t workspace_bytes(Index lanes) const override;
  void add(const StepView<T>& view, Workspace& workspace, T* total) const override;
  void require_dims(Index state_dim, Index action_dim) const override;
  bool take_apart(RewardParts<T>& parts) const override {
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
