#include "dynaplan/rewards/distance.hpp"

#include <algorithm>
#include <cmath>

#include "dynaplan/core/check.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

template <class T>
EntryDistance<T>::EntryDistance(const DistanceEntries& entries)
    : from_(entries.from), to_(entries.to), targets_(entries.targets) {
  const auto count = static_cast<Index>(from_.size());
  if (count < 1) throw_shape_error("indices", "none", "at least one entry of the state");
  if (!to_.empty()) require_same_size("to", static_cast<Index>(to_.size()), "indices", count);
  require_same_size("target", targets_.dim(), "indices", count);
}

template <class T>
void EntryDistance<T>::squared(ConstBlock<T> state, Index step, T* out) const {
  const T* const targets = targets_.at(step);
  std::fill_n(out, state.lanes, T(0));
  for (std::size_t i = 0; i < from_.size(); ++i) {
    const T* from = state.row(from_[i]);
    const T target = targets[i];
    if (to_.empty()) {
      for (Index k = 0; k < state.lanes; ++k) out[k] += (from[k] - target) * (from[k] - target);
      continue;
    }
    const T* to = state.row(to_[i]);
    for (Index k = 0; k < state.lanes; ++k) {
      const T gap = from[k] - to[k] - target;
      out[k] += gap * gap;
    }
  }
}

template <class T>
void EntryDistance<T>::require_state_dim(Index state_dim) const {
  for (const std::vector<Index>* entries : {&from_, &to_}) {
    for (const Index entry : *entries) {
      require_model_entry("reward", "a distance", "state", entry, state_dim);
    }
  }
}

template <class T>
void EntryDistance<T>::add_jumps(double radius, Jumps& jumps) const {
  for (std::size_t i = 0; i < from_.size(); ++i) {
    const auto target = static_cast<double>(targets_.at(0)[i]);
    const Index other = to_.empty() ? Index{-1} : to_[i];
    jumps.places.push_back({from_[i], other, target - radius, target + radius, targets_.vary()});
  }
}

template <class T>
DistanceReward<T>::DistanceReward(const DistanceEntries& entries, double weight, At at)
    : distance_(entries), weight_(static_cast<T>(weight)), at_(at) {
  require_finite("weight", weight);
}

template <class T>
void DistanceReward<T>::add(const StepView<T>& view, Workspace& workspace, T* total) const {
  const Workspace::Scope scope(workspace);
  const Index lanes = view.next.lanes;
  T* const squared = workspace.take<T>(lanes);
  distance_.squared(at_ == At::kState ? view.state : view.next, view.step, squared);
  // Eigen's square root takes whole vectors; the standard one would set errno, lane by lane.
  Eigen::Map<Eigen::Array<T, Eigen::Dynamic, 1>, Eigen::AlignedMax>(total, lanes) -=
      weight_ * lanes_of<T>(squared, lanes).sqrt();
}

template <class T>
void DistanceReward<T>::require_dims(Index state_dim, Index /*action_dim*/) const {
  distance_.require_state_dim(state_dim);
}

template <class T>
WithinReward<T>::WithinReward(const DistanceEntries& entries, double radius, double bonus, At at)
    : distance_(entries),
      radius_(radius),
      squared_radius_(static_cast<T>(radius * radius)),
      bonus_(static_cast<T>(bonus)),
      at_(at) {
  require_not_negative("radius", radius);
  require_finite("bonus", bonus);
}

template <class T>
void WithinReward<T>::add(const StepView<T>& view, Workspace& workspace, T* total) const {
  const Workspace::Scope scope(workspace);
  const Index lanes = view.next.lanes;
  T* const squared = workspace.take<T>(lanes);
  distance_.squared(at_ == At::kState ? view.state : view.next, view.step, squared);
  for (Index k = 0; k < lanes; ++k) total[k] += squared[k] <= squared_radius_ ? bonus_ : T(0);
}

template <class T>
void WithinReward<T>::require_dims(Index state_dim, Index /*action_dim*/) const {
  distance_.require_state_dim(state_dim);
}

template <class T>
T EntryDistance<T>::squared(const T* state, Index step) const {
  T sum = T(0);
  for (std::size_t i = 0; i < from_.size(); ++i) sum += gap(state, step, i) * gap(state, step, i);
  return sum;
}

template <class T>
void EntryDistance<T>::add_derivatives(const StepVariables<T>& step, Index first, T of_pairs, T of_each, T of_gaps,
                                       RewardExpansion<T>& out) const {
  const T* const state = step.values + first;
  const int sides = to_.empty() ? 1 : 2;
  const auto entry = [&](std::size_t i, int side) { return first + (side == 0 ? from_[i] : to_[i]); };
  const auto sign = [](int side) { return side == 0 ? T(1) : T(-1); };
  for (std::size_t i = 0; i < from_.size(); ++i) {
    for (int side = 0; side < sides; ++side) {
      out.gradient[entry(i, side)] += sign(side) * of_gaps * gap(state, step.step, i);
      for (std::size_t j = 0; j < from_.size(); ++j) {
        const T curvature = of_pairs * gap(state, step.step, i) * gap(state, step.step, j) + (i == j ? of_each : T(0));
        for (int other = 0; other < sides; ++other) {
          out.second(entry(i, side), entry(j, other)) += sign(side) * sign(other) * curvature;
        }
      }
    }
  }
}

template <class T>
void DistanceReward<T>::expand(const StepVariables<T>& step, Workspace& /*workspace*/, RewardExpansion<T>& out) const {
  const Index first = step.state(at_);
  const T distance = std::sqrt(distance_.squared(step.values + first, step.step));
  out.value -= weight_ * distance;
  if (!(distance > T(0))) return;  // the tip of a cone: it is as good as it gets
  const T slope = -weight_ / distance;
  // A cone has no curvature towards its tip, so that a Newton step flies past it. The paraboloid that touches it from
  // the other side has its minimum there: the quadratic of Weiszfeld 1937, a majorant (Hunter & Lange 2004).
  const T along = weight_ > T(0) ? T(0) : -slope / (distance * distance);
  distance_.add_derivatives(step, first, along, slope, slope, out);
}

template <class T>
void WithinReward<T>::expand(const StepVariables<T>& step, Workspace& /*workspace*/, RewardExpansion<T>& out) const {
  out.value += distance_.squared(step.values + step.state(at_), step.step) <= squared_radius_ ? bonus_ : T(0);
}

template class EntryDistance<float>;
template class EntryDistance<double>;
template class DistanceReward<float>;
template class DistanceReward<double>;
template class WithinReward<float>;
template class WithinReward<double>;

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
