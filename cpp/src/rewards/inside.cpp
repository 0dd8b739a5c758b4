#include "dynaplan/rewards/inside.hpp"

#include <algorithm>
#include <cmath>

#include "dynaplan/core/check.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

template <class T>
InsideReward<T>::InsideReward(const Eigen::VectorXd& low, const Eigen::VectorXd& high, double bonus, At at)
    : box_(low, high), bonus_(static_cast<T>(bonus)), at_(at) {
  require_finite("bonus", bonus);
}

template <class T>
void InsideReward<T>::add(const StepView<T>& view, Workspace& workspace, T* total) const {
  const ConstBlock<T> state = at_ == At::kState ? view.state : view.next;
  const Workspace::Scope scope(workspace);
  T* const bonus = workspace.take<T>(state.lanes);
  std::fill_n(bonus, state.lanes, bonus_);
  box_.clear_outside(state, bonus);
  for (Index k = 0; k < state.lanes; ++k) total[k] += bonus[k];
}

template <class T>
void InsideReward<T>::require_dims(Index state_dim, Index /*action_dim*/) const {
  require_model_states("reward", "a box", box_.dim(), state_dim);
}

template <class T>
void InsideReward<T>::expand(const StepVariables<T>& step, Workspace& /*workspace*/, RewardExpansion<T>& out) const {
  T bonus = bonus_;
  box_.clear_outside({step.values + step.state(at_), step.state_dim, 1, 1}, &bonus);
  out.value += bonus;
}

template class InsideReward<float>;
template class InsideReward<double>;

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
