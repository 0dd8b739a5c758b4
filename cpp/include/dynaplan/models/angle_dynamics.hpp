#pragma once

#include <memory>

#include "dynaplan/models/dynamics.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// What dynamics are given of angles.
enum class AngleInputs {
  kThemselves,  // their values, as they are
  kSineCosine,  // the sine in place of each; the cosines come before the actions
};

/// Dynamics some of whose states are angles: predicted ones are brought into their ranges, here and nowhere else. With
/// sines and cosines, dynamics of (S, cosines + A) inputs predict the change of an angle as that of its sine's place.
template <class T>
class AngleDynamics final : public Dynamics<T> {
 public:
  /// Throws ValueError.
  AngleDynamics(std::shared_ptr<const Dynamics<T>> dynamics, Angles angles, AngleInputs inputs);

  Index state_dim() const override { return dynamics_->state_dim(); }
  Index action_dim() const override { return dynamics_->action_dim() - cosines(); }
  Index output_dim() const override { return dynamics_->output_dim(); }
  Index members() const override { return dynamics_->members(); }
  Index max_lanes() const override { return dynamics_->max_lanes(); }
  bool gains_from_float32() const override { return dynamics_->gains_from_float32(); }
  bool is_float32() const override { return dynamics_->is_float32(); }
  bool may_jump() const override { return dynamics_->may_jump(); }
  bool takes_differences() const override { return dynamics_->takes_differences(); }
  const Angles* angles() const override { return &angles_; }
  std::size_t workspace_bytes(Index lanes) const override;
  void step(ConstBlock<T> state, ConstBlock<T> action, const Draw& draw, Workspace& workspace,
            Block<T> next) const override;
  /// Those within the range, as if there were no end of it.
  std::optional<LinearTerms> linear_terms() const override;
  void disagreement(ConstBlock<T> state, ConstBlock<T> action, Workspace& workspace, T* out) const override;
  std::size_t jacobians_workspace_bytes(Index lanes) const override;
  void jacobians(ConstBlock<T> state, ConstBlock<T> action, Workspace& workspace, JacobianBlock<T> out) const override;

 private:
  // What the dynamics inside are given.
  struct Encoded {
    Block<T> state;
    Block<T> action;
  };

  Index cosines() const { return inputs_ == AngleInputs::kSineCosine ? static_cast<Index>(angles_.size()) : 0; }
  std::size_t encoded_bytes(Index lanes) const;
  Encoded encode(ConstBlock<T> state, ConstBlock<T> action, Workspace& workspace) const;
  void decode(ConstBlock<T> state, const Encoded& encoded, Block<T> next) const;
  void encoded_jacobians(ConstBlock<T> state, ConstBlock<T> action, Workspace& workspace, JacobianBlock<T> out) const;

  std::shared_ptr<const Dynamics<T>> dynamics_;
  Angles angles_;
  AngleInputs inputs_;
};

extern template class AngleDynamics<float>;
extern template class AngleDynamics<double>;

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
