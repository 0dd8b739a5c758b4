#include "dynaplan/rewards/double_pendulum.hpp"

#include <cmath>

#include "dynaplan/core/error.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

template <class T>
DoublePendulumReward<T>::DoublePendulumReward(const TwoLinks& links, double healthy_reward)
    : links_(links), healthy_reward_(static_cast<T>(healthy_reward)) {
  if (!std::isfinite(healthy_reward)) throw ValueError("healthy_reward: must be finite");
}

template <class T>
void DoublePendulumReward<T>::add(const StepView<T>& view, Workspace& /*workspace*/, T* total) const {
  for (Index k = 0; k < view.next.lanes; ++k) {
    const TipPosition<T> tip = tip_position(links_, view.next, k);
    const T below = tip.height - T(2);
    total[k] += (tip.height > T(1) ? healthy_reward_ : T(0)) - T(0.01) * tip.sideways * tip.sideways - below * below;
  }
}

template <class T>
void DoublePendulumReward<T>::require_dims(Index state_dim, Index /*action_dim*/) const {
  require_state_dim(links_, state_dim);
}

template class DoublePendulumReward<float>;
template class DoublePendulumReward<double>;

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
