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

/// Another reward, weighed step by step; at steps whose weight is 0 it is not asked.
template <class T>
class ScheduledReward final : public Reward<T> {
 public:
  /// `weights` (steps), the last one for all steps beyond. Throws ShapeError, ValueError.
  ScheduledReward(std::shared_ptr<const Reward<T>> term, const Eigen::VectorXd& weights) : term_(std::move(term)) {
    if (weights.size() < 1) throw_shape_error("weights", "none", "one for each step");
    require_finite("weights", weights.data(), weights.size());
    for (const double weight : weights) weights_.push_back(static_cast<T>(weight));
  }

  std::size_t workspace_bytes(Index lanes) const override {
    return Workspace::bytes<T>(lanes) + term_->workspace_bytes(lanes);
  }

  void add(const StepView<T>& view, Workspace& workspace, T* total) const override {
    const T weight = weight_at(view.step);
    if (weight == T(0)) return;
    const Workspace::Scope scope(workspace);
    const Index lanes = view.action.lanes;
    T* const value = workspace.take<T>(lanes);
    std::fill_n(value, lanes, T(0));
    term_->add(view, workspace, value);
    for (Index k = 0; k < lanes; ++k) total[k] += weight * value[k];
  }

  void require_dims(Index state_dim, Index action_dim) const override { term_->require_dims(state_dim, action_dim); }
  bool needs_prediction() const override { return term_->needs_prediction(); }
  bool is_float32() const override { return term_->is_float32(); }
  void add_jumps(Jumps& jumps) const override { term_->add_jumps(jumps); }
  UseOfStep use_of_step() const override { return std::max(UseOfStep::kNeedsStep, term_->use_of_step()); }
  bool needs_previous_action() const override { return term_->needs_previous_action(); }
  bool has_derivatives() const override { return term_->has_derivatives(); }
  std::size_t expansion_bytes(Index variables) const override {
    return RewardExpansion<T>::bytes(variables) + term_->expansion_bytes(variables);
  }
  void expand(const StepVariables<T>& step, Workspace& workspace, RewardExpansion<T>& out) const override {
    const T weight = weight_at(step.step);
    if (weight == T(0)) return;
    const Workspace::Scope scope(workspace);
    RewardExpansion<T> term = RewardExpansion<T>::take(workspace, step.count());
    term_->expand(step, workspace, term);
    out.add_scaled(term, weight);
  }
  bool is_quadratic(const double* action_low, const double* action_high) const override {
    return term_->is_quadratic(action_low, action_high);
  }

 private:
  T weight_at(Index step) const { return weights_[std::min(static_cast<std::size_t>(step), weights_.size() - 1)]; }

  std::shared_ptr<const Reward<T>> term_;
  std::vector<T> weights_;
};

/// Another reward, at the last step of the horizon alone.
template <class T>
class TerminalReward final : public Reward<T> {
 public:
  explicit TerminalReward(std::shared_ptr<const Reward<T>> term) : term_(std::move(term)) {}

  std::size_t workspace_bytes(Index lanes) const override { return term_->workspace_bytes(lanes); }
  void add(const StepView<T>& view, Workspace& workspace, T* total) const override {
    if (view.step + 1 == view.horizon) term_->add(view, workspace, total);
  }
  void require_dims(Index state_dim, Index action_dim) const override { term_->require_dims(state_dim, action_dim); }
  bool needs_prediction() const override { return term_->needs_prediction(); }
  bool is_float32() const override { return term_->is_float32(); }
  void add_jumps(Jumps& jumps) const override { term_->add_jumps(jumps); }
  UseOfStep use_of_step() const override { return UseOfStep::kNeedsHorizon; }
  bool needs_previous_action() const override { return term_->needs_previous_action(); }
  bool has_derivatives() const override { return term_->has_derivatives(); }
  std::size_t expansion_bytes(Index variables) const override { return term_->expansion_bytes(variables); }
  void expand(const StepVariables<T>& step, Workspace& workspace, RewardExpansion<T>& out) const override {
    if (step.step + 1 == step.horizon) term_->expand(step, workspace, out);
  }
  bool is_quadratic(const double* action_low, const double* action_high) const override {
    return term_->is_quadratic(action_low, action_high);
  }

 private:
  std::shared_ptr<const Reward<T>> term_;
};

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
