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
  /// Subtracts the form of x = value(i), whose entry i has the derivative `slope(i)` by each of the variables
  /// first[0] + i with sign +1 and, where there are two, first[1] + i with sign -1.
  template <class Value, class Slope>
  void expand(const Value& value, const Slope& slope, const Index* first, Index firsts, RewardExpansion<T>& out) const {
    for (Index i = 0; i < dim(); ++i) {
      const T x_i = value(i) - target_[static_cast<std::size_t>(i)];
      T product = T(0);
      for (Index j = 0; j < dim(); ++j) {
        const T weight = weights_(i, j);
        product += weight * (value(j) - target_[static_cast<std::size_t>(j)]);
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

  void subtract_diagonal(ConstBlock<T> x, T* total) const;

  static void add_curvature(Index i, Index j, T curvature, const Index* first, Index firsts, RewardExpansion<T>& out) {
    for (Index f = 0; f < firsts; ++f) {
      for (Index g = 0; g < firsts; ++g) out.second(first[f] + i, first[g] + j) += f == g ? curvature : -curvature;
    }
  }

  Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic> weights_;
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
  bool has_derivatives() const override { return true; }
  void expand(const StepVariables<T>& step, Workspace& workspace, RewardExpansion<T>& out) const override;
  bool is_quadratic(const double* /*action_low*/, const double* /*action_high*/) const override { return true; }
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
