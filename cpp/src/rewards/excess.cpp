#include "dynaplan/rewards/excess.hpp"

#include <algorithm>
#include <cmath>

#include "dynaplan/core/check.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

template <class T>
ExcessCost<T>::ExcessCost(const Eigen::VectorXd& weights, const Eigen::VectorXd& low, const Eigen::VectorXd& high,
                          At at)
    : box_(low, high), at_(at) {
  require_same_size("weights", weights.size(), "low", low.size());
  for (const double weight : weights) {
    require_not_negative("weights", weight);
    weights_.push_back(static_cast<T>(weight));
  }
}

template <class T>
void ExcessCost<T>::add(const StepView<T>& view, Workspace& /*workspace*/, T* total) const {
  const ConstBlock<T> state = at_ == At::kState ? view.state : view.next;
  for (Index i = 0; i < state.dim; ++i) {
    const T weight = weights_[static_cast<std::size_t>(i)];
    if (weight == T(0)) continue;
    const T low = box_.low(i);
    const T high = box_.high(i);
    const T* const value = state.row(i);
    for (Index k = 0; k < state.lanes; ++k) {
      // A nan is beyond both, so that it is passed on.
      const T below = value[k] >= low ? T(0) : low - value[k];
      const T excess = value[k] > high ? value[k] - high : below;
      total[k] -= weight * excess * excess;
    }
  }
}

template <class T>
void ExcessCost<T>::require_dims(Index state_dim, Index /*action_dim*/) const {
  require_model_states("reward", "an excess", box_.dim(), state_dim);
}

template <class T>
void ExcessCost<T>::expand(const StepVariables<T>& step, Workspace& /*workspace*/, RewardExpansion<T>& out) const {
  for (Index i = 0; i < step.state_dim; ++i) {
    const Index entry = step.state(at_) + i;
    const T weight = weights_[static_cast<std::size_t>(i)];
    const T value = step.values[entry];
    const T beyond = std::max(value - box_.high(i), T(0)) + std::min(value - box_.low(i), T(0));
    if (weight == T(0) || beyond == T(0)) continue;
    out.value -= weight * beyond * beyond;
    out.gradient[entry] -= T(2) * weight * beyond;
    out.add_second(entry, entry, T(-2) * weight);
  }
}

template class ExcessCost<float>;
template class ExcessCost<double>;

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
