#include "dynaplan/rewards/linear.hpp"

#include <cmath>

#include "dynaplan/core/check.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

template <class T>
LinearReward<T>::LinearReward(const Eigen::VectorXd& weights, double offset, At at)
    : offset_(static_cast<T>(offset)), at_(at) {
  require_finite("weights", weights.data(), weights.size());
  require_finite("offset", offset);
  for (const double weight : weights) weights_.push_back(static_cast<T>(weight));
}

template <class T>
void LinearReward<T>::add(const StepView<T>& view, Workspace& /*workspace*/, T* total) const {
  const ConstBlock<T> state = at_ == At::kState ? view.state : view.next;
  for (Index k = 0; k < state.lanes; ++k) total[k] += offset_;
  for (std::size_t i = 0; i < weights_.size(); ++i) {
    const T weight = weights_[i];
    if (weight == T(0)) continue;
    const T* value = state.row(static_cast<Index>(i));
    for (Index k = 0; k < state.lanes; ++k) total[k] += weight * value[k];
  }
}

template <class T>
void LinearReward<T>::require_dims(Index state_dim, Index /*action_dim*/) const {
  require_model_states("reward", "a linear term", static_cast<Index>(weights_.size()), state_dim);
}

template <class T>
ChangeReward<T>::ChangeReward(Index index, double weight) : index_(index), weight_(static_cast<T>(weight)) {
  require_finite("weight", weight);
}

template <class T>
void ChangeReward<T>::add(const StepView<T>& view, Workspace& /*workspace*/, T* total) const {
  const T* before = view.state.row(index_);
  const T* after = view.next.row(index_);
  for (Index k = 0; k < view.next.lanes; ++k) total[k] += weight_ * (after[k] - before[k]);
}

template <class T>
void ChangeReward<T>::require_dims(Index state_dim, Index /*action_dim*/) const {
  require_model_entry("reward", "a term of change", "state", index_, state_dim);
}

template <class T>
void LinearReward<T>::expand(const StepVariables<T>& step, Workspace& /*workspace*/, RewardExpansion<T>& out) const {
  const Index first = step.state(at_);
  out.value += offset_;
  for (std::size_t i = 0; i < weights_.size(); ++i) {
    out.value += weights_[i] * step.values[first + static_cast<Index>(i)];
    out.gradient[first + static_cast<Index>(i)] += weights_[i];
  }
}

template <class T>
void ChangeReward<T>::expand(const StepVariables<T>& step, Workspace& /*workspace*/, RewardExpansion<T>& out) const {
  const Index before = step.state(At::kState) + index_;
  const Index after = step.state(At::kNextState) + index_;
  out.value += weight_ * (step.values[after] - step.values[before]);
  out.gradient[after] += weight_;
  out.gradient[before] -= weight_;
}

template class LinearReward<float>;
template class LinearReward<double>;
template class ChangeReward<float>;
template class ChangeReward<double>;

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
