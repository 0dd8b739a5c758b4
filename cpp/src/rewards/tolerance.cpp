#include "dynaplan/rewards/tolerance.hpp"

#include <algorithm>
#include <cmath>

#include "dynaplan/core/check.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

namespace {

double scale_of(const ToleranceSettings& settings) {
  const double value = settings.value_at_margin;
  const bool gaussian = settings.falloff == Falloff::kGaussian;
  require_bounds(settings.low, settings.high);
  require_positive("margin", settings.margin);
  require(value < 1.0 && (gaussian ? value > 0.0 : value >= 0.0), "value_at_margin", value,
          gaussian ? "in (0, 1)" : "in [0, 1)");
  const double at_margin = gaussian ? std::log(value) : value - 1.0;
  return at_margin / (settings.margin * settings.margin);
}

}  // namespace

template <class T>
ToleranceReward<T>::ToleranceReward(Index index, From from, const ToleranceSettings& settings)
    : index_(index),
      from_(from),
      falloff_(settings.falloff),
      low_(static_cast<T>(settings.low)),
      high_(static_cast<T>(settings.high)),
      scale_(static_cast<T>(scale_of(settings))) {}

template <class T>
void ToleranceReward<T>::add(const StepView<T>& view, Workspace& workspace, T* total) const {
  const ConstBlock<T> of_state = from_ == From::kState ? view.state : view.next;
  const ConstBlock<T> source = from_ == From::kAction ? view.action : of_state;
  const Workspace::Scope scope(workspace);
  const Index lanes = source.lanes;
  const T* value = source.row(index_);
  T* const exponent = workspace.take<T>(lanes);
  for (Index k = 0; k < lanes; ++k) {
    const T beyond = value[k] < low_ ? low_ - value[k] : value[k] - high_;
    const bool inside = value[k] >= low_ && value[k] <= high_;
    exponent[k] = inside ? T(0) : scale_ * beyond * beyond;  // a nan is not inside, and stays one
  }
  if (falloff_ == Falloff::kGaussian) {
    Eigen::Map<Eigen::Array<T, Eigen::Dynamic, 1>, Eigen::AlignedMax>(total, lanes) +=
        lanes_of<T>(exponent, lanes).exp();
    return;
  }
  for (Index k = 0; k < lanes; ++k) {
    const T left = T(1) + exponent[k];
    total[k] += left < T(0) ? T(0) : left;
  }
}

template <class T>
void ToleranceReward<T>::require_dims(Index state_dim, Index action_dim) const {
  const bool of_action = from_ == From::kAction;
  const Index dim = of_action ? action_dim : state_dim;
  require_model_entry("reward", "a tolerance", of_action ? "action" : "state", index_, dim);
}

template <class T>
void ToleranceReward<T>::expand(const StepVariables<T>& step, Workspace& /*workspace*/, RewardExpansion<T>& out) const {
  const Index of_state = step.state(from_ == From::kState ? At::kState : At::kNextState);
  const Index entry = index_ + (from_ == From::kAction ? step.action() : of_state);
  const T value = step.values[entry];
  const T beyond = std::min(value - low_, T(0)) + std::max(value - high_, T(0));
  const T exponent = scale_ * beyond * beyond;
  if (falloff_ == Falloff::kGaussian) {
    const T reward = std::exp(exponent);
    out.value += reward;
    if (beyond == T(0)) return;
    out.gradient[entry] += T(2) * scale_ * beyond * reward;
    out.add_second(entry, entry, T(2) * scale_ * (T(1) + T(2) * exponent) * reward);
    return;
  }
  if (T(1) + exponent < T(0)) return;
  out.value += T(1) + exponent;
  if (beyond == T(0)) return;
  out.gradient[entry] += T(2) * scale_ * beyond;
  out.add_second(entry, entry, T(2) * scale_);
}

template class ToleranceReward<float>;
template class ToleranceReward<double>;

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
