#include "dynaplan/models/c_function.hpp"

#include "dynaplan/core/check.hpp"
#include "dynaplan/models/central_differences.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

template <class T>
CFunctionDynamics<T>::CFunctionDynamics(CFunction<DynamicsSignature> function, Index state_dim, Index action_dim)
    : function_(std::move(function)), state_dim_(state_dim), action_dim_(action_dim) {
  require_dim("state_dim", state_dim);
  require_dim("action_dim", action_dim);
}

template <class T>
std::size_t CFunctionDynamics<T>::workspace_bytes(Index lanes) const {
  return 2 * foreign_bytes(state_dim_, lanes) + foreign_bytes(action_dim_, lanes);
}

template <class T>
void CFunctionDynamics<T>::step(ConstBlock<T> state, ConstBlock<T> action, const Draw& /*draw*/, Workspace& workspace,
                                Block<T> next) const {
  const Workspace::Scope scope(workspace);
  const Index lanes = state.lanes;
  function_.visit([&](auto number, auto* function) {
    using F = decltype(number);
    const ConstBlock<F> states = foreign_block<F>(state, workspace);
    const ConstBlock<F> actions = foreign_block<F>(action, workspace);
    const Block<F> result = foreign_result<F>(state_dim_, lanes, workspace);
    function(states.data, actions.data, lanes, lanes, function_.user_data(), result.data);
    convert_block<F, T>(result, next);
  });
}

template <class T>
std::size_t CFunctionDynamics<T>::jacobians_workspace_bytes(Index lanes) const {
  return central_differences_bytes(*this, lanes);
}

template <class T>
void CFunctionDynamics<T>::jacobians(ConstBlock<T> state, ConstBlock<T> action, Workspace& workspace,
                                     JacobianBlock<T> out) const {
  central_differences(*this, state, action, workspace, out);
}

template class CFunctionDynamics<float>;
template class CFunctionDynamics<double>;

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
