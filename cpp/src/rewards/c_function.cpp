#include "dynaplan/rewards/c_function.hpp"

#include "dynaplan/core/check.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

template <class T>
CFunctionReward<T>::CFunctionReward(CFunction<RewardSignature> function, Index state_dim, Index action_dim)
    : function_(std::move(function)), state_dim_(state_dim), action_dim_(action_dim) {
  require_dim("state_dim", state_dim);
  require_dim("action_dim", action_dim);
}

template <class T>
std::size_t CFunctionReward<T>::workspace_bytes(Index lanes) const {
  return 2 * foreign_bytes(state_dim_, lanes) + foreign_bytes(action_dim_, lanes) + foreign_bytes(1, lanes);
}

template <class T>
void CFunctionReward<T>::add(const StepView<T>& view, Workspace& workspace, T* total) const {
  const Workspace::Scope scope(workspace);
  function_.visit([&](auto number, auto* function) {
    using F = decltype(number);
    const ConstBlock<F> state = foreign_block<F>(view.state, workspace);
    const ConstBlock<F> action = foreign_block<F>(view.action, workspace);
    const ConstBlock<F> next = foreign_block<F>(view.next, workspace);
    const Index lanes = next.lanes;
    const Block<F> reward = foreign_result<F>(1, lanes, workspace);
    function(state.data, action.data, next.data, lanes, lanes, view.step, function_.user_data(), reward.data);
    for (Index k = 0; k < lanes; ++k) total[k] += static_cast<T>(reward.data[k]);
  });
}

template <class T>
void CFunctionReward<T>::require_dims(Index state_dim, Index action_dim) const {
  require_model_dims("reward", "a compiled function", {state_dim_, action_dim_}, {state_dim, action_dim});
}

template class CFunctionReward<float>;
template class CFunctionReward<double>;

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
