#include "dynaplan/rewards/box_clearance.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "dynaplan/core/check.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

template <class T>
BoxClearance<T>::BoxClearance(const EntryBox& box, const Clearance& clearance, At at)
    : entries_(box.entries),
      low_(box.low),
      high_(box.high),
      sign_(static_cast<T>(clearance.sign())),
      margin_(static_cast<T>(clearance.margin)),
      at_(at) {
  const auto count = static_cast<Index>(entries_.size());
  if (count < 1) throw_shape_error("indices", "none", "at least one entry of the state");
  require_same_size("low", low_.dim(), "indices", count);
  require_same_size("high", high_.dim(), "indices", count);
  require_not_negative("margin", clearance.margin);
  for (Index step = 0; step < std::max(box.low.cols(), box.high.cols()); ++step) {
    for (Index i = 0; i < count; ++i) {
      const double low = box.low(i, std::min(step, box.low.cols() - 1));
      const double high = box.high(i, std::min(step, box.high.cols() - 1));
      if (low > high) throw_entry_error("low", i, low, "at most high = " + text_of(high));
    }
  }
}

template <class T>
void BoxClearance<T>::add(const StepView<T>& view, Workspace& workspace, T* total) const {
  const Workspace::Scope scope(workspace);
  const ConstBlock<T> state = at_ == At::kState ? view.state : view.next;
  T* const squared = workspace.take<T>(state.lanes);  // of the distance from the box
  T* const largest = workspace.take<T>(state.lanes);  // how far the point is beyond a side
  std::fill_n(squared, state.lanes, T(0));
  std::fill_n(largest, state.lanes, -std::numeric_limits<T>::infinity());
  const T* const low = low_.at(view.step);
  const T* const high = high_.at(view.step);
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    const T* const value = state.row(entries_[i]);
    for (Index k = 0; k < state.lanes; ++k) {
      const T beyond = std::max(low[i] - value[k], value[k] - high[i]);
      const T outside = std::max(beyond, T(0));  // a nan stays one
      squared[k] += outside * outside;
      largest[k] = std::max(largest[k], beyond);
    }
  }
  for (Index k = 0; k < state.lanes; ++k) {
    total[k] += sign_ * (std::sqrt(squared[k]) + std::min(largest[k], T(0))) + margin_;
  }
}

template <class T>
void BoxClearance<T>::require_dims(Index state_dim, Index /*action_dim*/) const {
  for (const Index entry : entries_) require_model_entry("reward", "a box", "state", entry, state_dim);
}

template <class T>
std::size_t BoxClearance<T>::expansion_bytes(Index /*variables*/) const {
  const auto count = static_cast<Index>(entries_.size());
  return Workspace::bytes<T>(count) + Workspace::bytes<Index>(count);
}

template <class T>
void BoxClearance<T>::expand(const StepVariables<T>& step, Workspace& workspace, RewardExpansion<T>& out) const {
  const Workspace::Scope scope(workspace);
  const auto count = static_cast<Index>(entries_.size());
  const Index first = step.state(at_);
  const T* const low = low_.at(step.step);
  const T* const high = high_.at(step.step);
  // Of the sides that the point is beyond: from the nearest point of the box to it.
  T* const gap = workspace.take<T>(count);
  auto* const entries = workspace.take<Index>(count);
  Index beyond = 0;
  T squared = T(0);
  T largest = -std::numeric_limits<T>::infinity();
  Index nearest = 0;
  T outwards = T(1);
  for (Index i = 0; i < count; ++i) {
    const Index entry = first + entries_[static_cast<std::size_t>(i)];
    const T above = step.values[entry] - high[i];
    const T below = low[i] - step.values[entry];
    const T distance = std::max(above, below);
    if (distance > largest) {
      largest = distance;
      nearest = entry;
      outwards = above > below ? T(1) : T(-1);
    }
    if (!(distance > T(0))) continue;
    gap[beyond] = above > below ? above : -below;
    entries[beyond++] = entry;
    squared += distance * distance;
  }
  if (beyond > 0) {
    const T length = std::sqrt(squared);
    out.value += sign_ * length + margin_;
    add_length<T>(entries, gap, nullptr, beyond, length, sign_, out);
  } else {
    out.value += sign_ * largest + margin_;
    out.gradient[nearest] += sign_ * outwards;
  }
}

template <class T>
T BoxClearance<T>::lack(const T* state, Index step, Index face) const {
  const auto i = static_cast<std::size_t>(face / 2);
  const T value = state[entries_[i]];
  return margin_ - (face % 2 == 0 ? value - high_.at(step)[i] : low_.at(step)[i] - value);
}

template <class T>
void BoxClearance<T>::expand_face(const StepVariables<T>& step, Index face, RewardExpansion<T>& out) const {
  const Index first = step.state(at_);
  out.value += lack(step.values + first, step.step, face);
  out.gradient[first + entries_[static_cast<std::size_t>(face / 2)]] += face % 2 == 0 ? T(-1) : T(1);
}

template class BoxClearance<float>;
template class BoxClearance<double>;

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
