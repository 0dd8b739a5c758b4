#pragma once

#include <algorithm>
#include <limits>
#include <vector>

#include "dynaplan/planners/action_widths.hpp"
#include "dynaplan/planners/planner.hpp"

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

/// A bound of an action in this type; one beyond its range is its end, since infinite bounds have no width.
template <class T>
T finite_bound(double bound) {
  constexpr auto kEnd = static_cast<double>(std::numeric_limits<T>::max());
  return static_cast<T>(std::clamp(bound, -kEnd, kEnd));
}

/// The Gaussian over action sequences that a search draws from, each entry apart. Spreads are in half widths of the
/// bounds of each step, so that actions of any unit, in boxes of any middle, are searched alike.
template <class T>
class SearchDistribution {
 public:
  std::vector<T> mean;  // (H * A)
  std::vector<T> std;   // (H * A)

  /// About the problem's start, `widths` wide, which is the setting of this name. Keeps its memory. Throws ShapeError
  /// where there are others than one for each action.
  void start(const PlanProblemOf<T>& problem, Index horizon, const ActionWidths& widths, const char* name);

  /// Standard normals (H * A, K) become draws, those beyond the bounds set on them.
  void draw(Block<T> actions) const;
  /// The same, but no wider than leaves two standard deviations within the bounds, as Chua et al. 2018 draw.
  void draw_narrow(Block<T> actions) const;

  /// The middle of the bounds.
  T middle(Index row) const { return low_[static_cast<std::size_t>(row)] + half_width_[static_cast<std::size_t>(row)]; }
  /// The largest standard deviation, in half widths of the bounds; entries whose bounds are equal do not count.
  T widest() const;

  /// The mean itself, within the bounds.
  T mean_action(Index row) const;

  /// The Gaussian of the elites (count, H * A), of which the old one keeps the share `smoothing`, at least `min_std`
  /// wide. The variance is over the count, as the maximum-likelihood fit has it.
  void fit(const T* elites, Index count, double smoothing, double min_std);

 private:
  void draw_row(Index row, T spread, Block<T> actions) const;

  std::vector<T> low_;
  std::vector<T> high_;
  std::vector<T> half_width_;
  std::vector<T> elite_mean_;
  std::vector<T> squares_;
};

extern template class SearchDistribution<float>;
extern template class SearchDistribution<double>;

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
