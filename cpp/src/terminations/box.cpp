#include "dynaplan/terminations/box.hpp"

#include <algorithm>

#include "dynaplan/core/check.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

template <class T>
void Outside<T>::mark(const StepView<T>& view, Workspace& /*workspace*/, T* alive) const {
  box_.clear_outside(view.next, alive);
}

template <class T>
void Outside<T>::require_dims(Index state_dim, Index /*action_dim*/) const {
  require_model_states("termination", "a box", box_.dim(), state_dim);
}

template <class T>
void Inside<T>::mark(const StepView<T>& view, Workspace& workspace, T* alive) const {
  const Workspace::Scope scope(workspace);
  T* const reached = workspace.take<T>(view.next.lanes);
  std::fill_n(reached, view.next.lanes, T(1));
  box_.clear_outside(view.next, reached);
  for (Index k = 0; k < view.next.lanes; ++k) alive[k] = reached[k] != T(0) ? T(0) : alive[k];
}

template <class T>
void Inside<T>::require_dims(Index state_dim, Index /*action_dim*/) const {
  require_model_states("termination", "a box", box_.dim(), state_dim);
}

template class Outside<float>;
template class Outside<double>;
template class Inside<float>;
template class Inside<double>;

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
