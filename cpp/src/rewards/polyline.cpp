#include "dynaplan/rewards/polyline.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "dynaplan/core/check.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

template <class T>
Polyline<T>::Polyline(const EntryPath& path) : entries_(path.entries) {
  const auto count = static_cast<Index>(entries_.size());
  if (count < 1) throw_shape_error("indices", "none", "at least one entry of the state");
  if (path.points.cols() < 1) throw_shape_error("path", "no points", "at least one");
  require_same_size("path", path.points.rows(), "indices", count);
  require_finite_matrix("path", path.points.transpose());
  double before = 0.0;
  for (Index m = 0; m < std::max<Index>(path.points.cols() - 1, 1); ++m) {
    double squared = 0.0;
    for (Index i = 0; i < count; ++i) {
      const double begin = path.points(i, m);
      const double way = path.points(i, std::min(m + 1, path.points.cols() - 1)) - begin;
      begins_.push_back(static_cast<T>(begin));
      ways_.push_back(static_cast<T>(way));
      squared += way * way;
    }
    const double length = std::sqrt(squared);
    lines_.push_back(
        {static_cast<T>(length), static_cast<T>(before), static_cast<T>(squared > 0.0 ? 1.0 / squared : 0.0)});
    before += length;
  }
}

// For each lane the place of the nearest point on a line, from 0 to 1, and the squared distance from it.
template <class T>
void Polyline<T>::nearest_of_line(std::size_t number, ConstBlock<T> state, T* share, T* squared) const {
  const T* const begin = begins_.data() + number * entries_.size();
  const T* const way = ways_.data() + number * entries_.size();
  const T over_squared = lines_[number].over_squared;
  const Index lanes = state.lanes;
  std::fill_n(share, lanes, T(0));
  std::fill_n(squared, lanes, T(0));
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    const T* const value = state.row(entries_[i]);
    for (Index k = 0; k < lanes; ++k) share[k] += (value[k] - begin[i]) * way[i];
  }
  for (Index k = 0; k < lanes; ++k) share[k] = std::min(std::max(share[k] * over_squared, T(0)), T(1));
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    const T* const value = state.row(entries_[i]);
    for (Index k = 0; k < lanes; ++k) {
      const T gap = value[k] - begin[i] - share[k] * way[i];
      squared[k] += gap * gap;
    }
  }
}

template <class T>
void Polyline<T>::nearest(ConstBlock<T> state, Workspace& workspace, T* squared, T* lengths) const {
  const Workspace::Scope scope(workspace);
  const Index lanes = state.lanes;
  T* const share = workspace.take<T>(lanes);
  T* const of_line = workspace.take<T>(lanes);
  std::fill_n(squared, lanes, std::numeric_limits<T>::infinity());
  if (lengths != nullptr) std::fill_n(lengths, lanes, T(0));
  for (std::size_t m = 0; m < lines_.size(); ++m) {
    const Line& line = lines_[m];
    nearest_of_line(m, state, share, of_line);
    for (Index k = 0; k < lanes; ++k) {
      const bool is_nearer = !(of_line[k] >= squared[k]);  // as is a nan
      squared[k] = is_nearer ? of_line[k] : squared[k];
      if (lengths != nullptr) lengths[k] = is_nearer ? line.length_before + share[k] * line.length : lengths[k];
    }
  }
}

template <class T>
PathPlace<T> Polyline<T>::nearest(const T* state, Workspace& workspace) const {
  const auto count = static_cast<Index>(entries_.size());
  T* const gap = workspace.take<T>(count);
  T* const direction = workspace.take<T>(count);
  PathPlace<T> place;
  T nearest = std::numeric_limits<T>::infinity();
  for (std::size_t m = 0; m < lines_.size(); ++m) {
    const Line& line = lines_[m];
    const T* const begin = begins_.data() + m * entries_.size();
    const T* const way = ways_.data() + m * entries_.size();
    T share = T(0);
    for (std::size_t i = 0; i < entries_.size(); ++i) share += (state[entries_[i]] - begin[i]) * way[i];
    const T unbounded = share * line.over_squared;
    share = std::min(std::max(unbounded, T(0)), T(1));
    const auto gap_of = [&](std::size_t i) { return state[entries_[i]] - begin[i] - share * way[i]; };
    T squared = T(0);
    for (std::size_t i = 0; i < entries_.size(); ++i) squared += gap_of(i) * gap_of(i);
    if (!(squared < nearest)) continue;
    nearest = squared;
    place.length = line.length_before + share * line.length;
    place.is_within = unbounded == share && line.length > T(0);
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      gap[i] = gap_of(i);
      direction[i] = line.length > T(0) ? way[i] / line.length : T(0);
    }
  }
  place.distance = std::sqrt(nearest);
  place.gap = gap;
  place.direction = direction;
  return place;
}

template <class T>
void Polyline<T>::require_state_dim(Index state_dim) const {
  for (const Index entry : entries_) require_model_entry("reward", "a path", "state", entry, state_dim);
}

template class Polyline<float>;
template class Polyline<double>;

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
