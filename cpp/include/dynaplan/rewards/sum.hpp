#pragma once

#include <algorithm>
#include <memory>
#include <vector>

#include "dynaplan/rewards/reward.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// The sum of several rewards. Terms are shared: a user may keep one and use it in several sums.
template <class T>
class SumReward final : public Reward<T> {
 public:
  explicit SumReward(std::vector<std::shared_ptr<const Reward<T>>> terms) : terms_(std::move(terms)) {}

  std::size_t workspace_bytes(Index lanes) const override {
    std::size_t max_bytes = 0;  // terms run one after another and give their scratch back
    for (const auto& term : terms_) max_bytes = std::max(max_bytes, term->workspace_bytes(lanes));
    return max_bytes;
  }

  void add(const StepView<T>& view, Workspace& workspace, T* total) const override {
    for (const auto& term : terms_) term->add(view, workspace, total);
  }

  void require_dims(Index state_dim, Index action_dim) const override {
    for (const auto& term : terms_) term->require_dims(state_dim, action_dim);
  }

  bool take_apart(RewardParts<T>& parts) const override {
    return std::all_of(terms_.begin(), terms_.end(), [&](const auto& term) { return term->take_apart(parts); });
  }

  bool needs_prediction() const override {
    return std::any_of(terms_.begin(), terms_.end(), [](const auto& term) { return term->needs_prediction(); });
  }
  bool is_float32() const override {
    return std::any_of(terms_.begin(), terms_.end(), [](const auto& term) { return term->is_float32(); });
  }

  void add_jumps(Jumps& jumps) const override {
    for (const auto& term : terms_) term->add_jumps(jumps);
  }

  UseOfStep use_of_step() const override {
    UseOfStep max_use = UseOfStep::kNone;
    for (const auto& term : terms_) max_use = std::max(max_use, term->use_of_step());
    return max_use;
  }

  bool needs_previous_action() const override {
    return std::any_of(terms_.begin(), terms_.end(), [](const auto& term) { return term->needs_previous_action(); });
  }

  bool has_derivatives() const override {
    return std::all_of(terms_.begin(), terms_.end(), [](const auto& term) { return term->has_derivatives(); });
  }

  std::size_t expansion_bytes(Index variables) const override {
    std::size_t max_bytes = 0;
    for (const auto& term : terms_) max_bytes = std::max(max_bytes, term->expansion_bytes(variables));
    return max_bytes;
  }

  void expand(const StepVariables<T>& step, Workspace& workspace, RewardExpansion<T>& out) const override {
    for (const auto& term : terms_) term->expand(step, workspace, out);
  }

  bool is_quadratic(const double* action_low, const double* action_high) const override {
    return std::all_of(terms_.begin(), terms_.end(),
                       [&](const auto& term) { return term->is_quadratic(action_low, action_high); });
  }

 private:
  std::vector<std::shared_ptr<const Reward<T>>> terms_;
};

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
