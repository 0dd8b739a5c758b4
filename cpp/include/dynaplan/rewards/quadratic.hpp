#pragma once

#include <optional>

#include "dynaplan/networks/affine.hpp"
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
  /// Subtracts the form of x = value(i), whose entry i has the derivative `slope(i)` by each of the variables
  /// first[0] + i with sign +1 and, where there are two, first[1] + i with sign -1.
  template <class Value, class Slope>
  void expand(Index step, const Value& value, const Slope& slope, const Index* first, Index firsts,
              RewardExpansion<T>& out) const {
    const T* const target = targets_.at(step);
    for (Index i = 0; i < dim(); ++i) {
      const T x_i = value(i) - target[i];
      T product = T(0);
      for (Index j = 0; j < dim(); ++j) {
        const T weight = weights_(i, j);
        product += weight * (value(j) - target[j]);
        add_curvature(i, j, T(-2) * weight * slope(i) * slope(j), first, firsts, out);
      }
      out.value -= x_i * product;
      for (Index f = 0; f < firsts; ++f) out.gradient[first[f] + i] -= (f == 0 ? T(2) : T(-2)) * product * slope(i);
    }
  }

 private:
  // Rows first ... of the upper factor meet only the inputs from `first` on.
  struct Panel {
    Index first;
    PackedAffine<T> rows;
  };

  void subtract_diagonal(ConstBlock<T> x, Index step, T* total) const;

  static void add_curvature(Index i, Index j, T curvature, const Index* first, Index firsts, RewardExpansion<T>& out) {
    for (Index f = 0; f < firsts; ++f) {
      for (Index g = 0; g < firsts; ++g) out.second(first[f] + i, first[g] + j) += f == g ? curvature : -curvature;
    }
  }

  Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic> weights_;
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
  bool has_derivatives() const override { return true; }
  void expand(const StepVariables<T>& step, Workspace& workspace, RewardExpansion<T>& out) const override;
  bool is_quadratic(const double* /*action_low*/, const double* /*action_high*/) const override { return true; }
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
