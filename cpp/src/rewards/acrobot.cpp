#include "dynaplan/rewards/acrobot.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

namespace {

template <class T>
T paid(ConstBlock<T> next, Index lane) {
  return tip_position(kAcrobot, next, lane).along < T(-1) ? T(0) : T(-1);
}

}  // namespace

template <class T>
void AcrobotReward<T>::add(const StepView<T>& view, Workspace& /*workspace*/, T* total) const {
  for (Index k = 0; k < view.next.lanes; ++k) total[k] += paid(view.next, k);
}

template <class T>
void AcrobotReward<T>::require_dims(Index state_dim, Index /*action_dim*/) const {
  require_state_dim(kAcrobot, state_dim);
}

template <class T>
void AcrobotReward<T>::expand(const StepVariables<T>& step, Workspace& /*workspace*/, RewardExpansion<T>& out) const {
  const ConstBlock<T> next{step.values + step.state(At::kNextState), step.state_dim, 1, 1};
  out.value += paid(next, 0);
}

template class AcrobotReward<float>;
template class AcrobotReward<double>;

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
