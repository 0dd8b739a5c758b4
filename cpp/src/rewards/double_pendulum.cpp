#include "dynaplan/rewards/double_pendulum.hpp"

#include <cmath>

#include "dynaplan/core/check.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

template <class T>
DoublePendulumReward<T>::DoublePendulumReward(const TwoLinks& links, double healthy_reward)
    : links_(links), healthy_reward_(static_cast<T>(healthy_reward)) {
  require_finite("healthy_reward", healthy_reward);
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

template <class T>
void DoublePendulumReward<T>::expand(const StepVariables<T>& step, Workspace& /*workspace*/,
                                     RewardExpansion<T>& out) const {
  const Index first = step.state(At::kNextState);
  const TipPosition<T> tip = tip_position(links_, ConstBlock<T>{step.values + first, step.state_dim, 1, 1}, 0);
  const T below = tip.height - T(2);
  out.value += (tip.height > T(1) ? healthy_reward_ : T(0)) - T(0.01) * tip.sideways * tip.sideways - below * below;
  const Index base = first + links_.base;
  const Index sin1 = first + links_.sines[0];
  const Index sin2 = first + links_.sines[1];
  const Index cos1 = first + links_.cosines[0];
  const Index cos2 = first + links_.cosines[1];
  const T* const v = step.values;
  const auto one = static_cast<T>(links_.lengths[0]);
  const auto two = static_cast<T>(links_.lengths[1]);
  const Index entries[] = {base, sin1, sin2, cos1, cos2};
  const T of_sideways[] = {T(1), one + two * v[cos2], two * v[cos1], two * v[sin2], two * v[sin1]};
  const T of_height[] = {T(0), -two * v[sin2], -two * v[sin1], one + two * v[cos2], two * v[cos1]};
  out.add_chain(entries, of_sideways, 5, T(-0.02) * tip.sideways, T(-0.02));
  out.add_chain(entries, of_height, 5, T(-2) * below, T(-2));
  out.add_second(sin1, cos2, T(-0.02) * tip.sideways * two);
  out.add_second(cos1, sin2, T(-0.02) * tip.sideways * two);
  out.add_second(cos1, cos2, T(-2) * below * two);
  out.add_second(sin1, sin2, T(2) * below * two);
}

template class DoublePendulumReward<float>;
template class DoublePendulumReward<double>;

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
