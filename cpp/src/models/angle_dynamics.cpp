#include "dynaplan/models/angle_dynamics.hpp"

#include <utility>

#include "dynaplan/models/central_differences.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

template <class T>
AngleDynamics<T>::AngleDynamics(std::shared_ptr<const Dynamics<T>> dynamics, Angles angles, AngleInputs inputs)
    : dynamics_(std::move(dynamics)), angles_(std::move(angles)), inputs_(inputs) {
  validate(angles_, dynamics_->state_dim());
}

template <class T>
std::size_t AngleDynamics<T>::encoded_bytes(Index lanes) const {
  if (inputs_ == AngleInputs::kThemselves) return 0;
  return Workspace::bytes<T>(state_dim() * lanes) + Workspace::bytes<T>(dynamics_->action_dim() * lanes);
}

template <class T>
typename AngleDynamics<T>::Encoded AngleDynamics<T>::encode(ConstBlock<T> state, ConstBlock<T> action,
                                                            Workspace& workspace) const {
  const Encoded encoded{workspace.take_block<T>(state_dim(), state.lanes),
                        workspace.take_block<T>(dynamics_->action_dim(), state.lanes)};
  copy_block(state, encoded.state);
  copy_block(action, encoded.action.rows(cosines(), action_dim()));
  for (Index a = 0; a < cosines(); ++a) {
    const Angle& angle = angles_[static_cast<std::size_t>(a)];
    const auto radians = lanes_of(state.row(angle.state), state.lanes) * static_cast<T>(angle.rate());
    lanes_of(encoded.state, angle.state) = radians.sin();
    lanes_of(encoded.action, a) = radians.cos();
  }
  return encoded;
}

// From what the dynamics inside make of sines to the angles.
template <class T>
void AngleDynamics<T>::decode(ConstBlock<T> state, const Encoded& encoded, Block<T> next) const {
  for (const Angle& angle : angles_) {
    const Index i = angle.state;
    lanes_of(next, i) = lanes_of(state.row(i), state.lanes) + (lanes_of(next, i) - lanes_of(encoded.state, i));
  }
}

template <class T>
std::size_t AngleDynamics<T>::workspace_bytes(Index lanes) const {
  return encoded_bytes(lanes) + dynamics_->workspace_bytes(lanes);
}

template <class T>
void AngleDynamics<T>::step(ConstBlock<T> state, ConstBlock<T> action, const Draw& draw, Workspace& workspace,
                            Block<T> next) const {
  if (inputs_ == AngleInputs::kThemselves) {
    dynamics_->step(state, action, draw, workspace, next);
  } else {
    const Workspace::Scope scope(workspace);
    const Encoded encoded = encode(state, action, workspace);
    dynamics_->step(encoded.state, encoded.action, draw, workspace, next);
    decode(state, encoded, next);
  }
  wrap(angles_, next);
}

template <class T>
std::optional<LinearTerms> AngleDynamics<T>::linear_terms() const {
  if (inputs_ == AngleInputs::kSineCosine) return std::nullopt;
  return dynamics_->linear_terms();
}

template <class T>
void AngleDynamics<T>::disagreement(ConstBlock<T> state, ConstBlock<T> action, Workspace& workspace, T* out) const {
  if (inputs_ == AngleInputs::kThemselves) {
    dynamics_->disagreement(state, action, workspace, out);
    return;
  }
  const Workspace::Scope scope(workspace);
  const Encoded encoded = encode(state, action, workspace);
  dynamics_->disagreement(encoded.state, encoded.action, workspace, out);
}

template <class T>
std::size_t AngleDynamics<T>::jacobians_workspace_bytes(Index lanes) const {
  if (takes_differences()) return central_differences_bytes(*this, lanes);
  const std::size_t own = dynamics_->jacobians_workspace_bytes(lanes);
  if (inputs_ == AngleInputs::kThemselves) return own;
  return own + encoded_bytes(lanes) + Workspace::bytes<T>(state_dim() * dynamics_->action_dim() * lanes);
}

template <class T>
void AngleDynamics<T>::jacobians(ConstBlock<T> state, ConstBlock<T> action, Workspace& workspace,
                                 JacobianBlock<T> out) const {
  if (takes_differences()) {
    // A function from outside may wrap by itself, so that its own differences know nothing of turns.
    central_differences(*this, state, action, workspace, out);
    return;
  }
  if (inputs_ == AngleInputs::kThemselves) {
    dynamics_->jacobians(state, action, workspace, out);
  } else {
    encoded_jacobians(state, action, workspace, out);
  }
  wrap(angles_, out.next);
}

// The chain rule through sines and cosines.
template <class T>
void AngleDynamics<T>::encoded_jacobians(ConstBlock<T> state, ConstBlock<T> action, Workspace& workspace,
                                         JacobianBlock<T> out) const {
  const Workspace::Scope scope(workspace);
  const Index states = state_dim();
  const Index inner_actions = dynamics_->action_dim();
  const Encoded encoded = encode(state, action, workspace);
  const JacobianBlock<T> own{out.next, out.state, workspace.take_block<T>(states * inner_actions, state.lanes)};
  dynamics_->jacobians(encoded.state, encoded.action, workspace, own);
  decode(state, encoded, out.next);
  for (const Angle& angle : angles_) {
    // Only the change is that of the sine's place.
    lanes_of(out.state, angle.state * states + angle.state) -= T(1);
  }
  for (Index d = 0; d < states; ++d) {
    for (Index a = 0; a < cosines(); ++a) {
      const Angle& angle = angles_[static_cast<std::size_t>(a)];
      const auto sine = lanes_of(encoded.state, angle.state);
      const auto cosine = lanes_of(encoded.action, a);
      auto slope = lanes_of(out.state, d * states + angle.state);
      slope = static_cast<T>(angle.rate()) * (slope * cosine - lanes_of(own.action, d * inner_actions + a) * sine);
    }
    copy_block<T>(own.action.rows(d * inner_actions + cosines(), action_dim()),
                  out.action.rows(d * action_dim(), action_dim()));
  }
  for (const Angle& angle : angles_) lanes_of(out.state, angle.state * states + angle.state) += T(1);
}

template class AngleDynamics<float>;
template class AngleDynamics<double>;

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
