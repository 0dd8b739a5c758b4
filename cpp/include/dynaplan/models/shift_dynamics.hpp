#pragma once

#include <memory>
#include <vector>

#include "dynaplan/models/dynamics.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// A state that takes, in each step, the value that another state or an action has before it: a lag of it.
struct Shift {
  Index state = 0;
  Index source = 0;
  bool is_action = false;  // whether `source` is an action, else it is a state
};

/// Dynamics some of whose states are exact shifts: these are copied, whatever the dynamics inside make of them. Noise
/// and members leave them as they are.
template <class T>
class ShiftDynamics final : public Dynamics<T> {
 public:
  /// Throws ValueError unless the states are ascending, and all there.
  ShiftDynamics(std::shared_ptr<const Dynamics<T>> dynamics, std::vector<Shift> shifts);

  Index state_dim() const override { return dynamics_->state_dim(); }
  Index action_dim() const override { return dynamics_->action_dim(); }
  Index output_dim() const override { return dynamics_->output_dim(); }
  Index members() const override { return dynamics_->members(); }
  Index max_lanes() const override { return dynamics_->max_lanes(); }
  bool gains_from_float32() const override { return dynamics_->gains_from_float32(); }
  bool is_float32() const override { return dynamics_->is_float32(); }
  bool may_jump() const override { return dynamics_->may_jump(); }
  bool takes_differences() const override { return dynamics_->takes_differences(); }
  const Angles* angles() const override { return dynamics_->angles(); }
  std::size_t workspace_bytes(Index lanes) const override { return dynamics_->workspace_bytes(lanes); }
  void step(ConstBlock<T> state, ConstBlock<T> action, const Draw& draw, Workspace& workspace,
            Block<T> next) const override;
  std::optional<LinearTerms> linear_terms() const override;
  void disagreement(ConstBlock<T> state, ConstBlock<T> action, Workspace& workspace, T* out) const override;
  std::size_t jacobians_workspace_bytes(Index lanes) const override;
  void jacobians(ConstBlock<T> state, ConstBlock<T> action, Workspace& workspace, JacobianBlock<T> out) const override;

 private:
  void copy_shifts(ConstBlock<T> state, ConstBlock<T> action, Block<T> next) const;

  std::shared_ptr<const Dynamics<T>> dynamics_;
  std::vector<Shift> shifts_;
};

extern template class ShiftDynamics<float>;
extern template class ShiftDynamics<double>;

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
