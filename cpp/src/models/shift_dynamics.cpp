#include "dynaplan/models/shift_dynamics.hpp"

#include <algorithm>
#include <utility>

#include "dynaplan/core/check.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

namespace {

void validate(const std::vector<Shift>& shifts, Index state_dim, Index action_dim) {
  Index before = -1;
  for (const Shift& shift : shifts) {
    if (shift.state <= before || shift.state >= state_dim) {
      throw_value_error("known", "state " + text_of(shift.state), "states of the model, ascending");
    }
    if (shift.source < 0 || shift.source >= (shift.is_action ? action_dim : state_dim)) {
      throw_value_error("known", "source " + text_of(shift.source), "a state or an action of the model");
    }
    before = shift.state;
  }
}

}  // namespace

template <class T>
ShiftDynamics<T>::ShiftDynamics(std::shared_ptr<const Dynamics<T>> dynamics, std::vector<Shift> shifts)
    : dynamics_(std::move(dynamics)), shifts_(std::move(shifts)) {
  validate(shifts_, dynamics_->state_dim(), dynamics_->action_dim());
}

template <class T>
void ShiftDynamics<T>::copy_shifts(ConstBlock<T> state, ConstBlock<T> action, Block<T> next) const {
  for (const Shift& shift : shifts_) {
    const T* const source = shift.is_action ? action.row(shift.source) : state.row(shift.source);
    std::copy_n(source, next.lanes, next.row(shift.state));
  }
}

template <class T>
void ShiftDynamics<T>::step(ConstBlock<T> state, ConstBlock<T> action, const Draw& draw, Workspace& workspace,
                            Block<T> next) const {
  dynamics_->step(state, action, draw, workspace, next);
  copy_shifts(state, action, next);
}

template <class T>
std::optional<LinearTerms> ShiftDynamics<T>::linear_terms() const {
  std::optional<LinearTerms> terms = dynamics_->linear_terms();
  if (!terms) return std::nullopt;
  for (const Shift& shift : shifts_) {
    terms->state.row(shift.state).setZero();
    terms->action.row(shift.state).setZero();
    terms->constant(shift.state) = 0.0;
    (shift.is_action ? terms->action : terms->state)(shift.state, shift.source) = 1.0;
  }
  return terms;
}

template <class T>
void ShiftDynamics<T>::disagreement(ConstBlock<T> state, ConstBlock<T> action, Workspace& workspace, T* out) const {
  dynamics_->disagreement(state, action, workspace, out);
}

template <class T>
std::size_t ShiftDynamics<T>::jacobians_workspace_bytes(Index lanes) const {
  return dynamics_->jacobians_workspace_bytes(lanes);
}

template <class T>
void ShiftDynamics<T>::jacobians(ConstBlock<T> state, ConstBlock<T> action, Workspace& workspace,
                                 JacobianBlock<T> out) const {
  dynamics_->jacobians(state, action, workspace, out);
  copy_shifts(state, action, out.next);
  const auto clear = [&](Block<T> rows) {
    for (Index i = 0; i < rows.dim; ++i) std::fill_n(rows.row(i), rows.lanes, T(0));
  };
  for (const Shift& shift : shifts_) {
    const Block<T> of_state = out.state.rows(shift.state * state_dim(), state_dim());
    const Block<T> of_action = out.action.rows(shift.state * action_dim(), action_dim());
    clear(of_state);
    clear(of_action);
    std::fill_n((shift.is_action ? of_action : of_state).row(shift.source), state.lanes, T(1));
  }
}

template class ShiftDynamics<float>;
template class ShiftDynamics<double>;

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
