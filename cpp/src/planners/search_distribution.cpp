#include "dynaplan/planners/search_distribution.hpp"

#include <algorithm>
#include <cmath>

namespace dynaplan {
inline namespace DYNAPLAN_LEVEL {

namespace {

std::size_t at(Index i) { return static_cast<std::size_t>(i); }

// The bounds come first in both comparisons, so that a nan (of infinity times zero) is on the lower one.
template <class T>
T within(T low, T value, T high) {
  return std::min(high, std::max(low, value));
}

}  // namespace

template <class T>
void SearchDistribution<T>::start(const PlanProblemOf<T>& problem, Index horizon, const ActionWidths& widths,
                                  const char* name) {
  const Index action_dim = problem.rollout.dynamics->action_dim();
  widths.require_actions(name, action_dim);
  const Index size = horizon * action_dim;
  for (std::vector<T>* entries : {&mean, &std, &low_, &high_, &half_width_, &elite_mean_, &squares_}) {
    entries->resize(at(size));
  }
  for (Index row = 0; row < size; ++row) {
    const double low = problem.low_at(row / action_dim, row % action_dim);
    const double high = problem.high_at(row / action_dim, row % action_dim);
    low_[at(row)] = finite_bound<T>(low);
    high_[at(row)] = finite_bound<T>(high);
    half_width_[at(row)] = finite_bound<T>(0.5 * high - 0.5 * low);
    mean[at(row)] = finite_bound<T>(problem.start_action(row));
    const auto width = static_cast<T>(widths[row % action_dim]);
    std[at(row)] = width * half_width_[at(row)];
    // From the last action, as wide as the farther bound is away, but no wider than it can have moved by then.
    if (problem.action_rate == nullptr || problem.last_action == nullptr) continue;
    const Index steps = row / action_dim + 1;
    const double reach = problem.action_rate[row % action_dim] * static_cast<double>(steps);
    const T farther = std::max(high_[at(row)] - mean[at(row)], mean[at(row)] - low_[at(row)]);
    std[at(row)] = std::min(width * farther, finite_bound<T>(reach));
  }
}

template <class T>
void SearchDistribution<T>::draw(Block<T> actions) const {
  for (Index row = 0; row < actions.dim; ++row) draw_row(row, std[at(row)], actions);
}

template <class T>
void SearchDistribution<T>::draw_narrow(Block<T> actions) const {
  for (Index row = 0; row < actions.dim; ++row) {
    const T room = std::max(std::min(mean[at(row)] - low_[at(row)], high_[at(row)] - mean[at(row)]), T(0));
    draw_row(row, std::min(std[at(row)], T(0.5) * room), actions);
  }
}

template <class T>
void SearchDistribution<T>::draw_row(Index row, T spread, Block<T> actions) const {
  const T middle = mean[at(row)];
  const T low = low_[at(row)];
  const T high = high_[at(row)];
  T* const value = actions.row(row);
  for (Index k = 0; k < actions.lanes; ++k) value[k] = within(low, middle + spread * value[k], high);
}

template <class T>
T SearchDistribution<T>::widest() const {
  T widest = T(0);
  for (std::size_t row = 0; row < std.size(); ++row) {
    if (half_width_[row] > T(0)) widest = std::max(widest, std[row] / half_width_[row]);
  }
  return widest;
}

template <class T>
T SearchDistribution<T>::mean_action(Index row) const {
  return within(low_[at(row)], mean[at(row)], high_[at(row)]);
}

// Plain loops: Eigen would treat the first entries apart, by how the memory happens to be aligned, and round them
// differently.
template <class T>
void SearchDistribution<T>::fit(const T* elites, Index count, double smoothing, double min_std) {
  const auto size = static_cast<Index>(mean.size());
  const auto keep = static_cast<T>(smoothing);
  const T share = T(1) / static_cast<T>(count);
  T* const elite_mean = elite_mean_.data();
  T* const squares = squares_.data();
  std::fill_n(elite_mean, size, T(0));
  std::fill_n(squares, size, T(0));
  for (Index e = 0; e < count; ++e) {
    for (Index row = 0; row < size; ++row) elite_mean[row] += share * elites[e * size + row];
  }
  for (Index e = 0; e < count; ++e) {
    for (Index row = 0; row < size; ++row) {
      const T difference = elites[e * size + row] - elite_mean[row];
      squares[row] += share * difference * difference;
    }
  }
  for (Index row = 0; row < size; ++row) {
    const T floor = static_cast<T>(min_std) * half_width_[at(row)];
    mean[at(row)] += (T(1) - keep) * (elite_mean[row] - mean[at(row)]);
    std[at(row)] += (T(1) - keep) * (std::sqrt(squares[row]) - std[at(row)]);
    std[at(row)] = std::max(std[at(row)], floor);
  }
}

template class SearchDistribution<float>;
template class SearchDistribution<double>;

}  // namespace DYNAPLAN_LEVEL
}  // namespace dynaplan
