#include "dynaplan/rewards/action.hpp"

#include <algorithm>
#include <cmath>

#include "dynaplan/core/check.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

template <class T>
ActionCost<T>::ActionCost(const Eigen::MatrixXd& weights, const Eigen::MatrixXd& targets, const Eigen::VectorXd& low,
                          const Eigen::VectorXd& high)
    : form_(weights, targets) {
  require_same_size("low", low.size(), "weights", weights.rows());
  require_same_size("high", high.size(), "weights", weights.rows());
  for (Index i = 0; i < low.size(); ++i) {
    require_bounds(low(i), high(i));
    clips_ = clips_ || std::isfinite(low(i)) || std::isfinite(high(i));
    low_.push_back(static_cast<T>(low(i)));
    high_.push_back(static_cast<T>(high(i)));
  }
}

template <class T>
std::size_t ActionCost<T>::workspace_bytes(Index lanes) const {
  return form_.workspace_bytes(lanes) + Workspace::bytes<T>(form_.dim() * lanes);
}

template <class T>
void ActionCost<T>::add(const StepView<T>& view, Workspace& workspace, T* total) const {
  const ConstBlock<T> action = view.action;
  if (!clips_) {
    form_.subtract(action, view.step, workspace, total);
    return;
  }
  const Workspace::Scope scope(workspace);
  const Block<T> clipped = workspace.take_block<T>(action.dim, action.lanes);
  for (Index i = 0; i < action.dim; ++i) {
    const T low = low_[static_cast<std::size_t>(i)];
    const T high = high_[static_cast<std::size_t>(i)];
    for (Index k = 0; k < action.lanes; ++k) clipped.row(i)[k] = std::min(std::max(action.row(i)[k], low), high);
  }
  form_.subtract(clipped, view.step, workspace, total);
}

template <class T>
void ActionCost<T>::require_dims(Index /*state_dim*/, Index action_dim) const {
  require_model_actions("reward", "an action cost", form_.dim(), action_dim);
}

template <class T>
ActionChangeCost<T>::ActionChangeCost(const Eigen::MatrixXd& weights)
    : form_(weights, Eigen::VectorXd::Zero(weights.rows())) {}

template <class T>
std::size_t ActionChangeCost<T>::workspace_bytes(Index lanes) const {
  return form_.workspace_bytes(lanes) + Workspace::bytes<T>(form_.dim() * lanes);
}

template <class T>
void ActionChangeCost<T>::add(const StepView<T>& view, Workspace& workspace, T* total) const {
  const ConstBlock<T> action = view.action;
  const Workspace::Scope scope(workspace);
  const Block<T> change = workspace.take_block<T>(action.dim, action.lanes);
  for (Index i = 0; i < action.dim; ++i) {
    for (Index k = 0; k < action.lanes; ++k) change.row(i)[k] = action.row(i)[k] - view.previous_action.row(i)[k];
  }
  form_.subtract(change, view.step, workspace, total);
}

template <class T>
void ActionChangeCost<T>::require_dims(Index /*state_dim*/, Index action_dim) const {
  require_model_actions("reward", "an action-change cost", form_.dim(), action_dim);
}

template <class T>
void ActionCost<T>::expand(const StepVariables<T>& step, Workspace& /*workspace*/, RewardExpansion<T>& out) const {
  const T* const action = step.values + step.action();
  const auto low = [&](Index i) { return low_[static_cast<std::size_t>(i)]; };
  const auto high = [&](Index i) { return high_[static_cast<std::size_t>(i)]; };
  const Index first = step.action();
  form_.expand(
      step.step, [&](Index i) { return std::min(std::max(action[i], low(i)), high(i)); },
      [&](Index i) { return action[i] >= low(i) && action[i] <= high(i) ? T(1) : T(0); }, &first, 1, out);
}

template <class T>
bool ActionCost<T>::is_quadratic(const double* action_low, const double* action_high) const {
  for (std::size_t i = 0; i < low_.size(); ++i) {
    if (action_low[i] < static_cast<double>(low_[i]) || action_high[i] > static_cast<double>(high_[i])) return false;
  }
  return true;
}

template <class T>
void ActionChangeCost<T>::expand(const StepVariables<T>& step, Workspace& /*workspace*/,
                                 RewardExpansion<T>& out) const {
  const T* const action = step.values + step.action();
  const T* const previous = step.values + step.previous_action();
  const Index first[] = {step.action(), step.previous_action()};
  form_.expand(
      step.step, [&](Index i) { return action[i] - previous[i]; }, [](Index /*i*/) { return T(1); }, first, 2, out);
}

template class ActionCost<float>;
template class ActionCost<double>;
template class ActionChangeCost<float>;
template class ActionChangeCost<double>;

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
