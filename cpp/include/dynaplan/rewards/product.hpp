#pragma once

#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>
#include <vector>

#include "dynaplan/core/check.hpp"
#include "dynaplan/rewards/reward.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// A number times the product of several rewards: all conditions at once, or one term's weight.
template <class T>
class ProductReward final : public Reward<T> {
 public:
  ProductReward(std::vector<std::shared_ptr<const Reward<T>>> factors, double weight)
      : factors_(std::move(factors)), weight_(static_cast<T>(weight)) {
    require_finite("weight", weight);
  }

  std::size_t workspace_bytes(Index lanes) const override {
    std::size_t max_bytes = 0;  // factors run one after another and give their scratch back
    for (const auto& factor : factors_) max_bytes = std::max(max_bytes, factor->workspace_bytes(lanes));
    return max_bytes + 2 * Workspace::bytes<T>(lanes);
  }

  void add(const StepView<T>& view, Workspace& workspace, T* total) const override {
    const Workspace::Scope scope(workspace);
    const Index lanes = view.next.lanes;
    T* const product = workspace.take<T>(lanes);
    T* const value = workspace.take<T>(lanes);
    std::fill_n(product, lanes, weight_);
    for (const auto& factor : factors_) {
      std::fill_n(value, lanes, T(0));
      factor->add(view, workspace, value);
      for (Index k = 0; k < lanes; ++k) product[k] *= value[k];
    }
    for (Index k = 0; k < lanes; ++k) total[k] += product[k];
  }

  void require_dims(Index state_dim, Index action_dim) const override {
    for (const auto& factor : factors_) factor->require_dims(state_dim, action_dim);
  }

  bool needs_prediction() const override {
    return std::any_of(factors_.begin(), factors_.end(), [](const auto& factor) { return factor->needs_prediction(); });
  }
  bool is_float32() const override {
    return std::any_of(factors_.begin(), factors_.end(), [](const auto& factor) { return factor->is_float32(); });
  }

  void add_jumps(Jumps& jumps) const override {
    for (const auto& factor : factors_) factor->add_jumps(jumps);
  }

  UseOfStep use_of_step() const override {
    UseOfStep max_use = UseOfStep::kNone;
    for (const auto& factor : factors_) max_use = std::max(max_use, factor->use_of_step());
    return max_use;
  }

  bool needs_previous_action() const override {
    return std::any_of(factors_.begin(), factors_.end(),
                       [](const auto& factor) { return factor->needs_previous_action(); });
  }

  bool has_derivatives() const override {
    return std::all_of(factors_.begin(), factors_.end(), [](const auto& factor) { return factor->has_derivatives(); });
  }

  std::size_t expansion_bytes(Index variables) const override {
    std::size_t max_bytes = 0;
    for (const auto& factor : factors_) max_bytes = std::max(max_bytes, factor->expansion_bytes(variables));
    return max_bytes + 2 * RewardExpansion<T>::bytes(variables);
  }

  void expand(const StepVariables<T>& step, Workspace& workspace, RewardExpansion<T>& out) const override {
    const Workspace::Scope scope(workspace);
    RewardExpansion<T> product = RewardExpansion<T>::take(workspace, step.count());
    RewardExpansion<T> factor_alone = RewardExpansion<T>::take(workspace, step.count());
    product.value = weight_;
    for (const auto& factor : factors_) {
      factor_alone.clear();
      factor->expand(step, workspace, factor_alone);
      multiply(factor_alone, product);
    }
    out.add_scaled(product, T(1));
  }

  bool is_quadratic(const double* action_low, const double* action_high) const override {
    return factors_.size() == 1 && factors_[0]->is_quadratic(action_low, action_high);
  }

 private:
  // (f g)'' = f g'' + f' g' + g' f' + f'' g.
  static void multiply(RewardExpansion<T>& factor, RewardExpansion<T>& product) {
    for (Index i = 0; i < product.count; ++i) {
      for (Index j = 0; j < product.count; ++j) {
        product.second(i, j) = product.second(i, j) * factor.value + product.gradient[i] * factor.gradient[j] +
                               factor.gradient[i] * product.gradient[j] + product.value * factor.second(i, j);
      }
    }
    for (Index i = 0; i < product.count; ++i) {
      product.gradient[i] = product.gradient[i] * factor.value + product.value * factor.gradient[i];
    }
    product.value *= factor.value;
  }

  std::vector<std::shared_ptr<const Reward<T>>> factors_;
  T weight_;
};

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
