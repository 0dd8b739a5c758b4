#include "dynaplan/rewards/double_pendulum.hpp"

#include <cmath>

#include "dynaplan/core/check.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

namespace {

constexpr Index kBase = 0;  // the entry that is the position of the first hinge
constexpr const TwoLinks& kLinks = kInvertedDoublePendulum;

}  // namespace

template <class T>
DoublePendulumReward<T>::DoublePendulumReward(double healthy_reward) : healthy_reward_(static_cast<T>(healthy_reward)) {
  require_finite("healthy_reward", healthy_reward);
}

template <class T>
void DoublePendulumReward<T>::add(const StepView<T>& view, Workspace& /*workspace*/, T* total) const {
  for (Index k = 0; k < view.next.lanes; ++k) {
    const TipPosition<T> tip = tip_position(kLinks, view.next, k);
    const T sideways = view.next.row(kBase)[k] + tip.sideways;
    const T below = tip.along - T(2);
    total[k] += (tip.along > T(1) ? healthy_reward_ : T(0)) - T(0.01) * sideways * sideways - below * below;
  }
}

template <class T>
void DoublePendulumReward<T>::require_dims(Index state_dim, Index /*action_dim*/) const {
  require_state_dim(kLinks, state_dim);
}

template <class T>
void DoublePendulumReward<T>::expand(const StepVariables<T>& step, Workspace& /*workspace*/,
                                     RewardExpansion<T>& out) const {
  const Index first = step.state(At::kNextState);
  const TipPosition<T> tip = tip_position(kLinks, ConstBlock<T>{step.values + first, step.state_dim, 1, 1}, 0);
  const Index base = first + kBase;
  const T sideways = step.values[base] + tip.sideways;
  const T below = tip.along - T(2);
  out.value += (tip.along > T(1) ? healthy_reward_ : T(0)) - T(0.01) * sideways * sideways - below * below;
  const Index sin1 = first + kLinks.sines[0];
  const Index sin2 = first + kLinks.sines[1];
  const Index cos1 = first + kLinks.cosines[0];
  const Index cos2 = first + kLinks.cosines[1];
  const T* const v = step.values;
  const auto one = static_cast<T>(kLinks.lengths[0]);
  const auto two = static_cast<T>(kLinks.lengths[1]);
  const Index entries[] = {base, sin1, sin2, cos1, cos2};
  const T of_sideways[] = {T(1), one + two * v[cos2], two * v[cos1], two * v[sin2], two * v[sin1]};
  const T of_along[] = {T(0), -two * v[sin2], -two * v[sin1], one + two * v[cos2], two * v[cos1]};
  out.add_chain(entries, of_sideways, 5, T(-0.02) * sideways, T(-0.02));
  out.add_chain(entries, of_along, 5, T(-2) * below, T(-2));
  out.add_second(sin1, cos2, T(-0.02) * sideways * two);
  out.add_second(cos1, sin2, T(-0.02) * sideways * two);
  out.add_second(cos1, cos2, T(-2) * below * two);
  out.add_second(sin1, sin2, T(2) * below * two);
}

template class DoublePendulumReward<float>;
template class DoublePendulumReward<double>;

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
