#include "dynaplan/models/residual_dynamics.hpp"

#include <algorithm>
#include <utility>

#include "dynaplan/core/check.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

template <class T>
ResidualDynamics<T>::ResidualDynamics(Part prior, Part rest) : prior_(std::move(prior)), rest_(std::move(rest)) {
  require_model_dims("prior", "a model", {prior_->state_dim(), prior_->action_dim()},
                     {rest_->state_dim(), rest_->action_dim()});
}

template <class T>
Index ResidualDynamics<T>::max_lanes() const {
  return std::max(prior_->max_lanes(), rest_->max_lanes());
}

template <class T>
std::size_t ResidualDynamics<T>::workspace_bytes(Index lanes) const {
  return Workspace::bytes<T>(prior_->output_dim() * lanes) +
         std::max(prior_->workspace_bytes(lanes), rest_->workspace_bytes(lanes));
}

template <class T>
void ResidualDynamics<T>::step(ConstBlock<T> state, ConstBlock<T> action, const Draw& draw, Workspace& workspace,
                               Block<T> next) const {
  const Workspace::Scope scope(workspace);
  const Block<T> known = workspace.take_block<T>(prior_->output_dim(), state.lanes);
  Draw mean = draw;
  mean.propagation = Propagation::kMean;
  prior_->step(state, action, mean, workspace, known);
  rest_->step(state, action, draw, workspace, next);
  // The change first: it is small beside the state, and so loses no digits.
  for (Index d = 0; d < state.dim; ++d) {
    lanes_of(next, d) += lanes_of(known, d) - lanes_of(state.row(d), state.lanes);
  }
}

template <class T>
std::optional<LinearTerms> ResidualDynamics<T>::linear_terms() const {
  const std::optional<LinearTerms> known = prior_->linear_terms();
  std::optional<LinearTerms> sum = rest_->linear_terms();
  if (!known || !sum) return std::nullopt;
  sum->state += known->state - Eigen::MatrixXd::Identity(state_dim(), state_dim());
  sum->action += known->action;
  sum->constant += known->constant;
  return sum;
}

template <class T>
void ResidualDynamics<T>::disagreement(ConstBlock<T> state, ConstBlock<T> action, Workspace& workspace, T* out) const {
  rest_->disagreement(state, action, workspace, out);
}

template <class T>
std::size_t ResidualDynamics<T>::jacobians_workspace_bytes(Index lanes) const {
  const Index states = state_dim();
  return Workspace::bytes<T>(states * lanes) + Workspace::bytes<T>(states * states * lanes) +
         Workspace::bytes<T>(states * action_dim() * lanes) +
         std::max(prior_->jacobians_workspace_bytes(lanes), rest_->jacobians_workspace_bytes(lanes));
}

template <class T>
void ResidualDynamics<T>::jacobians(ConstBlock<T> state, ConstBlock<T> action, Workspace& workspace,
                                    JacobianBlock<T> out) const {
  const Workspace::Scope scope(workspace);
  const Index states = state_dim();
  const Index lanes = state.lanes;
  const JacobianBlock<T> known{workspace.take_block<T>(states, lanes), workspace.take_block<T>(states * states, lanes),
                               workspace.take_block<T>(states * action_dim(), lanes)};
  prior_->jacobians(state, action, workspace, known);
  rest_->jacobians(state, action, workspace, out);
  for (Index d = 0; d < states; ++d) {
    lanes_of(out.next, d) += lanes_of(known.next, d) - lanes_of(state.row(d), lanes);
    lanes_of(out.state, d * states + d) -= T(1);
  }
  add_block<T>(known.state, out.state);
  add_block<T>(known.action, out.action);
}

template class ResidualDynamics<float>;
template class ResidualDynamics<double>;

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
