#pragma once

#include <memory>

#include "dynaplan/models/dynamics.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// s' = f(s, a) + r(s, a): what is known beforehand, and a rest that was learned. The rest is given as dynamics that
/// predict s + r(s, a), as models of the change of the state do. Of what is known the mean alone counts; noise, members
/// and what is predicted beside the states are those of the rest.
template <class T>
class ResidualDynamics final : public Dynamics<T> {
 public:
  using Part = std::shared_ptr<const Dynamics<T>>;

  /// Throws ShapeError unless both have the same states and actions.
  ResidualDynamics(Part prior, Part rest);

  Index state_dim() const override { return rest_->state_dim(); }
  Index action_dim() const override { return rest_->action_dim(); }
  Index output_dim() const override { return rest_->output_dim(); }
  Index members() const override { return rest_->members(); }
  Index max_lanes() const override;
  bool gains_from_float32() const override { return prior_->gains_from_float32() && rest_->gains_from_float32(); }
  bool is_float32() const override { return prior_->is_float32() || rest_->is_float32(); }
  bool may_jump() const override { return prior_->may_jump() || rest_->may_jump(); }
  std::size_t workspace_bytes(Index lanes) const override;
  void step(ConstBlock<T> state, ConstBlock<T> action, const Draw& draw, Workspace& workspace,
            Block<T> next) const override;
  std::optional<LinearTerms> linear_terms() const override;
  void disagreement(ConstBlock<T> state, ConstBlock<T> action, Workspace& workspace, T* out) const override;
  std::size_t jacobians_workspace_bytes(Index lanes) const override;
  void jacobians(ConstBlock<T> state, ConstBlock<T> action, Workspace& workspace, JacobianBlock<T> out) const override;

 private:
  Part prior_;
  Part rest_;
};

extern template class ResidualDynamics<float>;
extern template class ResidualDynamics<double>;

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
