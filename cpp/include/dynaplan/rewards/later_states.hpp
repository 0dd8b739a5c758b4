#pragma once

#include "dynaplan/rewards/reward.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// A reward of states that follow others, such as those of a system whose queue of actions comes first. It is borrowed.
template <class T>
class LaterStatesReward final : public Reward<T> {
 public:
  /// `first` is the number of entries before.
  LaterStatesReward(const Reward<T>& reward, Index first) : reward_(reward), first_(first) {}

  std::size_t workspace_bytes(Index lanes) const override { return reward_.workspace_bytes(lanes); }
  void add(const StepView<T>& view, Workspace& workspace, T* total) const override {
    reward_.add(later_states(view, first_), workspace, total);
  }
  void require_dims(Index state_dim, Index action_dim) const override {
    reward_.require_dims(state_dim - first_, action_dim);
  }
  bool needs_prediction() const override { return reward_.needs_prediction(); }
  bool is_float32() const override { return reward_.is_float32(); }
  UseOfStep use_of_step() const override { return reward_.use_of_step(); }
  bool needs_previous_action() const override { return reward_.needs_previous_action(); }
  void add_jumps(Jumps& jumps) const override { add_later_jumps(reward_, first_, jumps); }
  bool has_derivatives() const override { return reward_.has_derivatives(); }
  std::size_t expansion_bytes(Index variables) const override {
    const Index own = variables - 2 * first_;
    return Workspace::bytes<T>(own) + RewardExpansion<T>::bytes(own) + reward_.expansion_bytes(own);
  }

  void expand(const StepVariables<T>& step, Workspace& workspace, RewardExpansion<T>& out) const override {
    const Workspace::Scope scope(workspace);
    StepVariables<T> own = step;
    own.state_dim -= first_;
    T* const values = workspace.take<T>(own.count());
    own.values = values;
    // State and actions stand side by side, the next state's own entries behind others again.
    const Index before_next = own.state(At::kNextState);
    const auto place = [&](Index i) { return i < before_next ? i + first_ : i + 2 * first_; };
    for (Index i = 0; i < own.count(); ++i) values[i] = step.values[place(i)];
    RewardExpansion<T> expansion = RewardExpansion<T>::take(workspace, own.count());
    reward_.expand(own, workspace, expansion);
    out.value += expansion.value;
    for (Index i = 0; i < own.count(); ++i) {
      out.gradient[place(i)] += expansion.gradient[i];
      for (Index j = 0; j < own.count(); ++j) out.second(place(i), place(j)) += expansion.second(i, j);
    }
  }
  bool is_quadratic(const double* action_low, const double* action_high) const override {
    return reward_.is_quadratic(action_low, action_high);
  }

 private:
  const Reward<T>& reward_;
  Index first_;
};

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
