#include "dynaplan/terminations/c_function.hpp"

#include "dynaplan/core/check.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

template <class T>
CFunctionTermination<T>::CFunctionTermination(CFunction<TerminationSignature> function, Index state_dim,
                                              Index action_dim)
    : function_(std::move(function)), state_dim_(state_dim), action_dim_(action_dim) {
  require_dim("state_dim", state_dim);
  require_dim("action_dim", action_dim);
}

template <class T>
std::size_t CFunctionTermination<T>::workspace_bytes(Index lanes) const {
  return 2 * foreign_bytes(state_dim_, lanes) + foreign_bytes(action_dim_, lanes) +
         Workspace::bytes<std::uint8_t>(lanes);
}

template <class T>
void CFunctionTermination<T>::mark(const StepView<T>& view, Workspace& workspace, T* alive) const {
  const Workspace::Scope scope(workspace);
  function_.visit([&](auto number, auto* function) {
    using F = decltype(number);
    const ConstBlock<F> state = foreign_block<F>(view.state, workspace);
    const ConstBlock<F> action = foreign_block<F>(view.action, workspace);
    const ConstBlock<F> next = foreign_block<F>(view.next, workspace);
    const Index lanes = next.lanes;
    auto* const ended = workspace.take<std::uint8_t>(lanes);
    std::fill_n(ended, lanes, std::uint8_t{0});
    function(state.data, action.data, next.data, lanes, lanes, view.step, function_.user_data(), ended);
    for (Index k = 0; k < lanes; ++k) alive[k] = ended[k] != 0 ? T(0) : alive[k];
  });
}

template <class T>
void CFunctionTermination<T>::require_dims(Index state_dim, Index action_dim) const {
  require_model_dims("termination", "a compiled function", {state_dim_, action_dim_}, {state_dim, action_dim});
}

template class CFunctionTermination<float>;
template class CFunctionTermination<double>;

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
